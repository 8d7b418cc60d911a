#!/usr/bin/env bash
# Compiles the Rust library for phones into src/main/jniLibs: android/sotay/build-native.sh
#
# Needs cargo-ndk, the Rust targets below, and Android's NDK 28 or newer (16 KB pages) in $ANDROID_NDK_HOME. Not run by the tests: where
# there is no NDK, the app's tests load the library that Cargo builds for the machine itself, and the APK is packed without one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -d "${ANDROID_NDK_HOME:-}" ] || {
    echo "ANDROID_NDK_HOME names no NDK" >&2
    exit 75
}
command -v cargo-ndk > /dev/null || {
    echo "cargo-ndk is missing: cargo install cargo-ndk" >&2
    exit 75
}

rustup target add aarch64-linux-android armv7-linux-androideabi x86_64-linux-android
cd "$here/../.."
cargo ndk --platform 26 --target arm64-v8a --target armeabi-v7a --target x86_64 --output-dir "$here/src/main/jniLibs" \
    build --locked --profile phone --package sotay-ffi --lib
