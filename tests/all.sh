#!/usr/bin/env bash
# Runs the tests: all of them, or the parts that are named.
#
#   tests/all.sh [PART…]     PART is one of: format lints rust sim fuzz crash python kotlin android swift demo
#
# Each part is a script in tests/parts/. What it prints goes to target/test-logs/PART.log; on failure the end of it is shown. The last line is
#
#   N passed, N failed, N skipped
#
# over single tests (a lint counts as one). Exit code 1 if anything failed. What a machine cannot run is skipped by name and with the reason; under
# CI=true a skip fails the run too, unless ALLOW_SKIP (names, separated by commas or spaces) names it or its part.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
all_parts=(format lints rust sim fuzz crash python kotlin android swift demo)
logs=${CARGO_TARGET_DIR:-$root/target}/test-logs
# A part that hangs must not hang the run. The longest one, a first Android build, takes some ten minutes.
limit=${PART_LIMIT:-40m}

[ $# -gt 0 ] || set -- "${all_parts[@]}"
for part in "$@"; do
    case " ${all_parts[*]} " in
        *" $part "*) ;;
        *)
            echo "no part '$part'; the parts are: ${all_parts[*]}" >&2
            exit 2
            ;;
    esac
done

# `timeout` puts a part into a process group of its own, so that the servers it started end with it; an interrupt has to be handed on.
child=
trap '[ -z "$child" ] || kill "$child" 2> /dev/null || true' EXIT
trap 'exit 130' INT TERM

# sum KIND FILE: the total of the counts that lines of this kind carry
sum() { awk -v kind="$1" '$1 == kind { n += $2 } END { print n + 0 }' "$2"; }

may_skip() {
    local allowed
    for allowed in ${ALLOW_SKIP//,/ }; do
        [[ $1 == "$allowed" || $2 == "$allowed" ]] && return 0
    done
    return 1
}
ALLOW_SKIP=${ALLOW_SKIP:-}

mkdir -p "$logs"
everything=$(mktemp)
refused=()
for part in "$@"; do
    printf '%s\n' "$part …"
    log=$logs/$part.log
    export SOTAY_RESULTS=$logs/$part.results
    : > "$SOTAY_RESULTS"
    began=$SECONDS
    code=0
    # The descriptor 3 is the watcher's terminal: see say() in common.sh.
    timeout --kill-after=30s "$limit" "tests/parts/$part.sh" 3>&1 > "$log" 2>&1 < /dev/null &
    child=$!
    wait "$child" || code=$?
    child=
    case $code in
        0) ;;
        124 | 137) echo "failed 1 $part (stopped after $limit)" >> "$SOTAY_RESULTS" ;;
        *) echo "failed 1 $part (its script ended with code $code)" >> "$SOTAY_RESULTS" ;;
    esac
    [ -s "$SOTAY_RESULTS" ] || echo "failed 1 $part (nothing was tested)" >> "$SOTAY_RESULTS"

    failed=$(sum failed "$SOTAY_RESULTS")
    printf '%-8s %5s passed, %s failed, %s skipped  (%s s)\n' "$part" \
        "$(sum passed "$SOTAY_RESULTS")" "$failed" "$(sum skipped "$SOTAY_RESULTS")" $((SECONDS - began))
    sed -n 's/^failed [0-9]* /  FAILED  /p; s/^skipped [0-9]* /  skipped /p' "$SOTAY_RESULTS"
    if [ "$failed" != 0 ]; then
        echo "  the end of $log:"
        tail -n 40 "$log" | sed 's/^/  | /'
    fi
    if [ "${CI:-}" = true ]; then
        while IFS= read -r name; do
            may_skip "$name" "$part" || refused+=("$name")
        done < <(sed -n 's/^skipped [0-9]* \([^:]*\):.*/\1/p' "$SOTAY_RESULTS" | sort -u)
    fi
    cat "$SOTAY_RESULTS" >> "$everything"
done

passed=$(sum passed "$everything")
failed=$(sum failed "$everything")
skipped=$(sum skipped "$everything")
rm -f "$everything"
echo "all parts took $SECONDS s"
for name in ${refused[@]+"${refused[@]}"}; do
    echo "skipped, and under CI=true only ALLOW_SKIP=$name makes that acceptable: $name"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ] && [ ${#refused[@]} = 0 ]
