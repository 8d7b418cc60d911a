#!/usr/bin/env bash
# The Swift packages on Linux: the wrapper in bindings/swift and the view-free part of the app in ios, both on the real library and a real server.
# SwiftUI does not exist here, so of the views only the syntax is checked.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

if ! why=$("$parts/swift-run.sh" true 2>&1); then
    skipped swift "$(tail -n 1 <<< "$why")"
    exit 0
fi
build_rust
require "generate Swift" bindings/generate.sh swift bindings/swift/Generated

# Debian's libswiftObservation.so lacks a symbol that nothing calls; the linker need not mind.
for package in bindings/swift ios; do
    # shellcheck disable=SC2016
    run_tests "$package" swift "$parts/swift-run.sh" bash -c \
        'exec swift test --package-path "$1" --scratch-path "$SOTAY_SCRATCH/$1" -Xlinker "-L$SOTAY_LIBRARY_DIR" -Xlinker --allow-shlib-undefined' \
        sotay "$package"
done

# Xcode alone compiles the views. Each file that parses counts as one check.
mapfile -t views < <(git ls-files --cached --others --exclude-standard -- 'ios/App/*.swift')
echo "== ios views parse: ${#views[@]} files"
if [ ${#views[@]} = 0 ]; then
    failed 1 "ios views (there are none)"
elif "$parts/swift-run.sh" swiftc -parse "${views[@]}" 2>&1; then
    passed ${#views[@]} "ios views parse"
else
    failed 1 "ios views parse"
fi
