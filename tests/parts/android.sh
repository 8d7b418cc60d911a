#!/usr/bin/env bash
# The Android app: its screens under Robolectric on the real library and a real server, and the packing of a debug APK.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

if ! { need javac openjdk-17-jdk-headless && need mvn maven && need unzip unzip; }; then
    skipped android "a JDK, Maven or unzip is missing and cannot be installed"
    exit 0
fi
code=0
tools=${TOOLS_DIR:-$SOTAY_CACHE/android}
[ -f "$tools/complete" ] || say "installs Gradle and a stand-in Android SDK in $tools (some 0.4 GB of downloads, the app's own come on top)"
why=$(android/toolchain/setup.sh "$tools" 2>&1) || code=$?
echo "$why"
case $code in
    0) ;;
    75)
        skipped android "$(tail -n 1 <<< "$why")"
        exit 0
        ;;
    *)
        failed 1 "android/toolchain/setup.sh (exit code $code)"
        exit 0
        ;;
esac
build_rust
require "generate Kotlin" bindings/generate.sh kotlin bindings/kotlin/target/generated-sources/uniffi

# Reports of an earlier run must not be counted; and Gradle would not run tests again whose inputs are the same, though the library,
# which is no input of theirs, may have changed.
rm -rf android/*/build/test-results
code=0
android/toolchain/gradle.sh android --console=plain testDebugUnitTest :app:assembleDebug || code=$?
count_tests android $code junit android/*/build/test-results/testDebugUnitTest
if [ $code = 0 ]; then passed 1 "android debug APK"; fi
