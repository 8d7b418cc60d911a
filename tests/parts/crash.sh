#!/usr/bin/env bash
# Real crashes: phones and a server killed −9 over and over, files torn and flipped, disks that are full. Each is one check; what was done
# and found stands in the log.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"
build_rust
require "cargo build" cargo build --locked --package sotay-ffi --package sotay-tests --bin crash

# It is started over and over, by its path, as server too: a build that goes on beside this must not take it away. The ordinary server would
# turn a phone away that starts and syncs hundreds of times a minute.
programs=$(mktemp -d)
trap 'rm -rf "$programs"' EXIT
cp "$SOTAY_TARGET/debug/crash" "$programs"
unset SOTAY_SERVER

crash() { timeout 900 "$programs/crash" "$@"; }

check "crash kill" crash --only kill --cycles 250
check "crash torn" crash --only torn
check "crash flip" crash --only flip

# A small file system is mounted in a namespace of its own, which wants root or user namespaces.
log=$(mktemp)
if crash --only full > "$log" 2>&1; then code=0; else code=$?; fi
cat "$log"
if grep -q "NOT TRIED" "$log"; then
    skipped "crash full" "no small file system can be mounted here"
elif [ "$code" = 0 ]; then
    passed 1 "crash full"
else
    failed 1 "crash full"
fi
rm -f "$log"
