#!/usr/bin/env bash
# The tests of all Rust crates: rules, engine, server, scenarios, and the examples in the documentation.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"
# Tests that start a server start the binary itself.
build_rust
# What is printed is read back by these.
if ! { need pdftotext poppler-utils && need zbarimg zbar-tools; }; then
    failed 1 "poppler-utils and zbar-tools are needed and cannot be installed"
fi

# Compiling first: an error of the compiler is then one failure that says so, and not "no test ran".
require "cargo test --no-run" cargo test --locked --workspace --no-run
run_tests rust cargo cargo test --locked --workspace --no-fail-fast
# The store again on plain SQLite: the same code without the cipher below it.
run_tests rust-plain cargo cargo test --locked --package sotay-client --no-default-features --no-fail-fast
# The gate before the files and the live queries under every order of threads that shuttle finds: one more build of one crate.
run_tests rust-interleavings cargo cargo test --locked --package sotay-client --no-default-features --features shuttle --lib interleavings
