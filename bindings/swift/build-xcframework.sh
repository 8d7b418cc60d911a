#!/usr/bin/env bash
# Builds Generated/SotayFFI.xcframework for iPhone, its simulator and the Mac, and the Swift sources that go with it.
#
# Needs a Mac with Xcode and the Rust targets named below. It has never been run: the project's tests run on Linux, where the package links
# the shared library instead. Read what it prints as you would read a first draft.
set -euo pipefail

[ "$(uname)" = Darwin ] || {
    echo "an XCFramework can only be made on a Mac" >&2
    exit 1
}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cd "$root"

# The lowest systems that Package.swift allows.
export IPHONEOS_DEPLOYMENT_TARGET=17.0 MACOSX_DEPLOYMENT_TARGET=14.0

targets=(aarch64-apple-ios aarch64-apple-ios-sim x86_64-apple-ios aarch64-apple-darwin x86_64-apple-darwin)
rustup target add "${targets[@]}"
for triple in "${targets[@]}"; do
    cargo build --locked --profile phone --package sotay-ffi --lib --target "$triple"
done

# The interface is read out of a library for this machine; it is the same for all.
cargo build --locked --package sotay-ffi --features bindgen --bin sotay-bindgen
cargo build --locked --package sotay-ffi --lib
rm -rf "$here/Generated"
made=$here/Generated/made
mkdir -p "$made" "$here/Generated/SotayGenerated" "$here/Generated/Headers"
"$target/debug/sotay-bindgen" generate --library "$target/debug/libsotay_ffi.dylib" \
    --config bindings/uniffi.toml --language swift --no-format --out-dir "$made"
# As bindings/generate.sh does on Linux; BSD sed wants an argument after -i.
sed -i '' -E 's/-> Handbook  \{/-> BlockingHandbook {/; s/FfiConverterTypeHandbook_lift/FfiConverterTypeBlockingHandbook_lift/' \
    "$made/sotay_client.swift"
mv "$made"/*.swift "$here/Generated/SotayGenerated/"
mv "$made"/*.h "$here/Generated/Headers/"
awk 1 "$made"/*.modulemap > "$here/Generated/Headers/module.modulemap"
rm -rf "$made"

# One library per platform: both processors of the simulator, and of the Mac, in one file each.
fat=$target/xcframework
mkdir -p "$fat/simulator" "$fat/mac"
lipo -create -output "$fat/simulator/libsotay_ffi.a" \
    "$target"/{aarch64-apple-ios-sim,x86_64-apple-ios}/phone/libsotay_ffi.a
lipo -create -output "$fat/mac/libsotay_ffi.a" \
    "$target"/{aarch64,x86_64}-apple-darwin/phone/libsotay_ffi.a

xcodebuild -create-xcframework -output "$here/Generated/SotayFFI.xcframework" \
    -library "$target/aarch64-apple-ios/phone/libsotay_ffi.a" -headers "$here/Generated/Headers" \
    -library "$fat/simulator/libsotay_ffi.a" -headers "$here/Generated/Headers" \
    -library "$fat/mac/libsotay_ffi.a" -headers "$here/Generated/Headers"
echo "made $here/Generated/SotayFFI.xcframework"
