#!/usr/bin/env bash
# The generated Python module on the real library: the cheapest proof that what is exported can be called from elsewhere.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

build_rust
generated=$SOTAY_TARGET/bindings/python
require "generate Python" bindings/generate.sh python "$generated"
export PYTHONPATH=$generated PYTHONDONTWRITEBYTECODE=1
run_tests python unittest python3 -m unittest discover --verbose --start-directory bindings/python
