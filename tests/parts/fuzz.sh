#!/usr/bin/env bash
# Every reader of foreign bytes under the fuzzer, for some seconds each. What a target does, and what it found before, runs on stable
# too: tests/fuzz-targets. To fuzz in earnest: `cargo fuzz run TARGET -s none` in the checkout, with the tool installed below.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"
need_rust

# All programs of fuzz/Cargo.toml; the first name there is the package's own.
mapfile -t targets < <(sed -n 's/^name = "\(.*\)"$/\1/p' fuzz/Cargo.toml | tail -n +2)
skip_all() {
    local target
    for target in "${targets[@]}"; do skipped "fuzz $target" "$1"; done
    exit 0
}

# Never from PATH: the version decides which instrumentation the programs get.
version=0.13.1
tools=$SOTAY_CACHE/cargo-fuzz-$version
if [ ! -x "$tools/bin/cargo-fuzz" ]; then
    say "installs cargo-fuzz $version in $tools (compiles for some minutes)"
    cargo install --locked --root "$tools" "cargo-fuzz@$version" || true
fi
[ -x "$tools/bin/cargo-fuzz" ] || skip_all "cargo-fuzz cannot be installed"
need c++ g++ || skip_all "a C++ compiler is needed for libFuzzer and cannot be installed"

# Without a sanitizer, which the stable toolchain lacks: our own code cannot do what one would find. Little is optimised, as building
# takes longer here than running; overflows and failed debug assertions count as findings.
build=$SOTAY_TARGET/fuzz
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_DEBUG=0
host=$(rustc -vV | sed -n 's/^host: //p')
programs=$build/$host/release
# Compiled for the host by name, so that build scripts are not instrumented.
say "builds the fuzzer's programs in $build (some minutes the first time)"
require "cargo fuzz build" "$tools/bin/cargo-fuzz" fuzz build --sanitizer none --strip-dead-code --codegen-units 16 \
    --target "$host" --target-dir "$build"

found=$SOTAY_TARGET/fuzz-found
mkdir -p "$found"
seconds=${FUZZ_SECONDS:-6}

# fuzz TARGET: from the inputs that are kept, which stay as they are. An input may take half a gigabyte and two seconds, and no more.
fuzz() {
    local new code=0
    new=$(mktemp -d)
    (
        ulimit -v 4000000
        exec "$programs/$1" "$new" "fuzz/corpus/$1" -seed=1 -max_total_time="$seconds" -timeout=2 -rss_limit_mb=512 \
            -max_len="$2" -artifact_prefix="$found/$1-" -print_final_stats=1 -verbosity=0
    ) 2>&1 || code=$?
    rm -rf "$new"
    return $code
}

# One program for each core; each says for itself how it ended, so that their lines do not mix.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
longest() { sed -n "s/^ *[a-z]*::$1, \([0-9_]*\);$/\1/p" tests/fuzz-targets/src/lib.rs | tr -d _; }
running=0
for target in "${targets[@]}"; do
    if [ "$running" -ge "$(nproc)" ]; then
        wait -n || true
        running=$((running - 1))
    fi
    {
        code=0
        fuzz "$target" "$(longest "$target")" > "$work/$target.log" 2>&1 || code=$?
        echo "$code" > "$work/$target.code"
    } &
    running=$((running + 1))
done
wait
for target in "${targets[@]}"; do
    code=$(cat "$work/$target.code")
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$target.log")
    echo "== fuzz $target: ${runs:-0} inputs, exit code $code"
    if [ "$code" = 0 ] && [ "${runs:-0}" -gt 0 ]; then
        passed 1 "fuzz $target"
    else
        tail -n 30 "$work/$target.log"
        failed 1 "fuzz $target (what it found is in $found)"
    fi
done
