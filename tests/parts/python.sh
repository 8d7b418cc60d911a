#!/usr/bin/env bash
# The generated Python module on the real library: the cheapest proof that what is exported can be called from elsewhere.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

build_rust
generated=$SOTAY_TARGET/bindings/python
require "generate Python" bindings/generate.sh python "$generated"
export PYTHONPATH=$generated PYTHONDONTWRITEBYTECODE=1
run_tests python unittest python3 -m unittest discover --verbose --start-directory bindings/python

# What a phone signs, verified by a library of other authors in an environment of its own.
require "cargo build" cargo build --locked --package sotay-tests --bin record-requests
interop=$SOTAY_TARGET/python-interop
environment() {
    python3 -m venv "$interop" && "$interop/bin/pip" install --quiet --disable-pip-version-check --requirement tests/interop/requirements.txt
}
if environment 2>&1; then
    export SOTAY_RECORDED=$interop/recorded.jsonl
    record() { "$SOTAY_TARGET/debug/record-requests" > "$SOTAY_RECORDED"; }
    require "record requests" record
    run_tests interop unittest "$interop/bin/python" -m unittest discover --verbose --start-directory tests/interop
else
    skipped interop "no Python environment with the packages of tests/interop/requirements.txt could be made"
fi
