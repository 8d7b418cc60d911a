#!/usr/bin/env bash
# The demonstration of the README ends with its own check that all phones agree with the server, and says so by its exit code.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"
need_rust

check demo timeout 600 cargo demo
