#!/usr/bin/env bash
# Generates the foreign side of the library: bindings/generate.sh kotlin|swift|python OUT_DIR
#
# Library mode: uniffi reads the interface out of the compiled library itself, of all our crates in it. OUT_DIR is emptied first, so that no
# file of a former interface stays. What is generated is never committed.
#
# For Swift the folder is laid out as SwiftPM wants it: SotayGenerated/ with all sources for one module, SotayFFI/ with the C headers and one
# module map for the system library target that the sources import. For Python OUT_DIR gets a package `sotay` with the library in it.
set -euo pipefail

case ${1:-} in
    kotlin | swift | python) language=$1 ;;
    *)
        echo "usage: bindings/generate.sh kotlin|swift|python OUT_DIR" >&2
        exit 2
        ;;
esac
[ -n "${2:-}" ] || {
    echo "usage: bindings/generate.sh $language OUT_DIR" >&2
    exit 2
}
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
cd "$root"

# The server is named because Cargo decides on the features of shared dependencies by the packages named: with it, almost nothing from the registry is
# compiled a second time after the tests' own build. The generator goes first: it links the library with a feature more, and what is left in
# target/debug must be the library as it ships.
both=(--quiet --locked --package sotay-server --package sotay-ffi)
cargo build "${both[@]}" --features sotay-ffi/bindgen --bin sotay-bindgen
cargo build "${both[@]}" --lib

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$target/debug/sotay-bindgen" generate --library "$target/debug/libsotay_ffi.so" --config bindings/uniffi.toml --language "$language" --no-format --out-dir "$made"

if [ "$language" = swift ]; then
    mkdir "$made/SotayGenerated" "$made/SotayFFI"
    mv "$made"/*.swift "$made/SotayGenerated/"
    mv "$made"/*.h "$made/SotayFFI/"
    # uniffi 0.32 does not rename what a constructor returns (see rename in uniffi.toml).
    sed -i -E 's/-> Handbook  \{/-> BlockingHandbook {/; s/FfiConverterTypeHandbook_lift/FfiConverterTypeBlockingHandbook_lift/' \
        "$made/SotayGenerated/sotay_client.swift"
    # The generator's files do not end with a line feed.
    awk 1 "$made"/*.modulemap > "$made/SotayFFI/module.modulemap"
    rm "$made"/*.modulemap
fi

if [ "$language" = python ]; then
    # The modules import each other from the package they are in, and look there for the library too.
    mkdir "$made/sotay"
    mv "$made"/*.py "$made/sotay/"
    for module in "$made"/sotay/*.py; do echo "from .$(basename "$module" .py) import *"; done > "$made/__init__.py"
    mv "$made/__init__.py" "$made/sotay/"
    cp "$target/debug/libsotay_ffi.so" "$made/sotay/"
fi

# Unchanged files keep their times, so that compilers which look at those need not start over.
find "$out" -type f -printf '%P\0' | while IFS= read -r -d '' old; do
    [ -f "$made/$old" ] || rm "$out/$old"
done
(cd "$made" && find . -type f -print0) | while IFS= read -r -d '' new; do
    cmp -s "$made/$new" "$out/$new" || { mkdir -p "$(dirname "$out/$new")" && cp "$made/$new" "$out/$new"; }
done
