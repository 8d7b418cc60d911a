#!/usr/bin/env bash
# Phones and server on simulated disks and networks: seeds that must break no promise, and defects that must be found.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"
require "cargo build" cargo build --locked --release --package sotay-sim

sim() { timeout 1500 "$SOTAY_TARGET/release/sim" "$@"; }

check "sim seeds" sim --seeds 2000 --from 0
check "sim defects" sim --defects --within 2000
