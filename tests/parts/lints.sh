#!/usr/bin/env bash
# What reads the Rust code without running it: clippy, the documentation, and the rules of deny.toml on what comes from outside.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"
need_rust

if cargo clippy --version > /dev/null 2>&1 || rustup component add clippy; then
    check clippy cargo clippy --locked --workspace --all-targets -- -D warnings
else
    skipped clippy "the toolchain lacks the component clippy"
fi
check rustdoc env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

# The bill of materials names what Cargo.lock names.
check sbom python3 tests/parts/sbom.py --check

# Never from PATH: the version decides what the fields of deny.toml mean.
version=0.20.2
tools=$SOTAY_CACHE/cargo-deny-$version
if [ ! -x "$tools/bin/cargo-deny" ]; then
    say "installs cargo-deny $version in $tools (compiles for some minutes)"
    cargo install --locked --root "$tools" "cargo-deny@$version" || true
fi
if [ ! -x "$tools/bin/cargo-deny" ]; then
    for name in bans licenses sources advisories; do skipped "$name" "cargo-deny cannot be installed"; done
    exit 0
fi
deny() { "$tools/bin/cargo-deny" --locked --all-features "$@"; }
for name in bans licenses sources; do check "$name" deny check "$name"; done

# Whether the database can be had is one question, what it says of our crates another: only the first may be skipped.
if timeout 60 "$tools/bin/cargo-deny" --locked fetch db 2>&1; then
    check advisories deny check advisories
else
    say "advisories are NOT checked: the advisory database cannot be cloned from here"
    skipped advisories "the advisory database cannot be cloned from here"
fi
