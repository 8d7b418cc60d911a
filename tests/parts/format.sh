#!/usr/bin/env bash
# Are all sources laid out as their formatters want them? One check for each formatter.
#
#   tests/parts/format.sh --write      lays them out instead
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

# Files that are in the checkout, or are new and not ignored: so no generated or copied source is looked at.
sources() { git -c core.quotepath=off ls-files --cached --others --exclude-standard -- "$@" | while read -r file; do [ ! -f "$file" ] || echo "$file"; done; }

write=${1:-}
need_rust
if [ "$write" = --write ]; then
    cargo fmt --all
elif cargo fmt --version > /dev/null 2>&1 || rustup component add rustfmt; then
    check rustfmt cargo fmt --all -- --check
else
    skipped rustfmt "the toolchain lacks the component rustfmt"
fi

# Scripts are known by their name or, like .ci/run, by their first line.
mapfile -t scripts < <({ sources '*.sh'; sources '.ci/*' | xargs -r grep -lE '^#!.*\b(ba)?sh\b'; } | sort -u)
if need shellcheck shellcheck; then
    check shellcheck shellcheck --external-sources "${scripts[@]}"
else
    skipped shellcheck "cannot be installed"
fi

# ktlint comes as a heap of jars, through the machine's Maven. A stamp makes sure that the heap is whole.
ktlint=$SOTAY_CACHE/ktlint-1.8.0
mapfile -t kotlin < <(sources '*.kt' '*.kts')
if [ ! -f "$ktlint/complete" ] && need mvn maven && need java openjdk-17-jdk-headless; then
    say "installs ktlint 1.8.0 in $ktlint"
    if mvn -q -B -f "$parts/ktlint.xml" dependency:copy-dependencies -DoutputDirectory="$ktlint"; then touch "$ktlint/complete"; fi
fi
if [ ${#kotlin[@]} = 0 ]; then
    echo "no Kotlin sources"
elif [ "$write" = --write ]; then
    # It fails on what it cannot lay out by itself, and names that.
    java -cp "$ktlint/*" com.pinterest.ktlint.Main --relative --format "${kotlin[@]}" || true
elif [ -f "$ktlint/complete" ]; then
    check ktlint java -cp "$ktlint/*" com.pinterest.ktlint.Main --relative "${kotlin[@]}"
else
    skipped ktlint "its artifacts cannot be fetched"
fi

mapfile -t swift < <(sources '*.swift')
if [ ${#swift[@]} = 0 ]; then
    echo "no Swift sources"
elif [ "$write" = --write ]; then
    # Through pipes: the checkout is not there where Swift is.
    laid_out=$(mktemp)
    for file in "${swift[@]}"; do
        # shellcheck disable=SC2094
        "$parts/swift-run.sh" swift format --assume-filename "$file" < "$file" > "$laid_out"
        cmp -s "$laid_out" "$file" || cp "$laid_out" "$file"
    done
    rm -f "$laid_out"
elif why=$("$parts/swift-run.sh" true 2>&1); then
    check swift-format "$parts/swift-run.sh" swift format lint --strict "${swift[@]}"
else
    skipped swift-format "$(tail -n 1 <<< "$why")"
fi
