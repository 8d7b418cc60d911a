# Sourced by the scripts of this folder: how a part reports, and how it gets what it needs.
# shellcheck shell=bash
#
# A part is an executable script here, called by tests/all.sh, or alone. It reports by the functions below, each of which writes one line
#
#     passed COUNT NAME        failed COUNT NAME        skipped COUNT NAME: REASON
#
# to the file $SOTAY_RESULTS (standard output when called alone). Everything else it prints is log. A part goes on after a failure, as
# far as that makes sense, and its exit code says nothing that its lines do not: a code other than 0 means that the script itself broke.
#
# Test programs, in whatever language, find what they need by these variables:
#     SOTAY_ROOT           the checkout                     SOTAY_SCENARIOS     the folder of the shared JSON scenarios
#     SOTAY_SERVER         the sotay-server binary          SOTAY_LIBRARY_DIR   the folder of libsotay_ffi.so
#     SOTAY_SCENARIO_SERVER   the program that makes a scenario's commune and serves it (tests/scenarios/README.md)
set -euo pipefail

SOTAY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck disable=SC2034
SOTAY_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/sotay
SOTAY_TARGET=${CARGO_TARGET_DIR:-$SOTAY_ROOT/target}
SOTAY_SCENARIOS=$SOTAY_ROOT/tests/scenarios
SOTAY_SERVER=$SOTAY_TARGET/debug/sotay-server
SOTAY_SCENARIO_SERVER=$SOTAY_TARGET/debug/scenario-server
SOTAY_LIBRARY_DIR=$SOTAY_TARGET/debug
export SOTAY_ROOT SOTAY_SCENARIOS SOTAY_SERVER SOTAY_SCENARIO_SERVER SOTAY_LIBRARY_DIR
parts=$SOTAY_ROOT/tests/parts
results=${SOTAY_RESULTS:-/dev/stdout}

# ---- reporting

passed() { echo "passed $1 $2" >> "$results"; }
failed() { echo "failed $1 $2" >> "$results"; }
skipped() { echo "skipped 1 $1: $2" >> "$results"; }

# say TEXT: for whoever watches the run, not only for the log
say() {
    echo "$1"
    { echo "  $1" >&3; } 2> /dev/null || true
}

# check NAME COMMAND…: one check, passed if the command succeeds
check() {
    local name=$1
    shift
    echo "== $name: $*"
    if "$@" 2>&1; then passed 1 "$name"; else failed 1 "$name"; fi
}

# require NAME COMMAND…: a step without which the part cannot go on; counted only when it fails
require() {
    local name=$1
    shift
    echo "== $name: $*"
    "$@" 2>&1 || {
        failed 1 "$name"
        exit 0
    }
}

# run_tests NAME FORMAT COMMAND…: runs a test program and counts its tests from what it printed (count.py names the formats)
run_tests() {
    local name=$1 format=$2 code=0 log
    shift 2
    log=$(mktemp)
    echo "== $name: $*"
    "$@" 2>&1 | tee "$log" || code=$?
    count_tests "$name" "$code" "$format" "$log"
    rm -f "$log"
}

# count_tests NAME EXIT_CODE FORMAT PATH…: the lines for a program that has ended; a run without any test is a failure
count_tests() {
    local name=$1 code=$2 format=$3 counted
    shift 3
    counted=$(mktemp)
    python3 "$parts/count.py" "$name" "$format" "$@" > "$counted"
    cat "$counted" >> "$results"
    if ! grep -qE '^(passed|failed) ' "$counted"; then
        failed 1 "$name (no test ran, exit code $code)"
    elif [ "$code" != 0 ] && ! grep -q '^failed ' "$counted"; then
        failed 1 "$name (exit code $code)"
    fi
    rm -f "$counted"
}

# ---- what a part needs

# install_packages NAME…: makes Debian packages present; false where that cannot be done
install_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q '^install ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return 0
    if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then return 1; fi
    say "installs with apt: ${missing[*]}"
    apt-get update -q >&2 || true
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
}

# need COMMAND PACKAGE…: makes a command present by installing the packages that bring it
need() {
    local command=$1
    shift
    command -v "$command" > /dev/null || install_packages "$@"
}

# need_rust: cargo itself is the reader's part of the bargain; what compiling the C sources of SQLite and OpenSSL wants is not
need_rust() {
    command -v cargo > /dev/null || {
        failed 1 "cargo is missing: install Rust from rust-lang.org"
        exit 0
    }
    if ! { need cc gcc libc6-dev && need make make && need perl perl; }; then
        failed 1 "a C compiler, make and perl are needed and cannot be installed"
        exit 0
    fi
}

# build_rust: the servers and the library that the other languages test against
build_rust() {
    need_rust
    require "cargo build" cargo build --locked --package sotay-server --package sotay-ffi --package sotay-tests \
        --lib --bin sotay-server --bin scenario-server
}
