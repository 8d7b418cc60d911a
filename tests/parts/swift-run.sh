#!/usr/bin/env bash
# Runs a command where Swift 6 is: on this machine if it has one, otherwise in a Debian 13 chroot (see swift-chroot.sh).
#
#   tests/parts/swift-run.sh COMMAND…
#
# The command starts in a folder that looks like the checkout, with the environment that common.sh describes and
#
#     SOTAY_SCRATCH   a folder for build output, kept from one run to the next: swift build --scratch-path "$SOTAY_SCRATCH/NAME"
#
# Into the chroot the sources, the servers and the library are copied, never bound: whatever a command deletes there, the checkout is safe.
# Changed files only are written, and the place is the same for every checkout, so that Swift compiles again only what differs. One run at a
# time. The network is the machine's own, so tests may start the server on loopback.
#
# Exit codes: the command's own; 75 if there is no Swift (the reason is the last line on standard error).
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

if swift --version 2> /dev/null | grep -qE 'Swift version ([6-9]|[1-9][0-9])\.'; then
    export SOTAY_SCRATCH=$SOTAY_TARGET/swift
    export LD_LIBRARY_PATH=$SOTAY_LIBRARY_DIR${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
    exec "$@"
fi

system=$("$parts/swift-chroot.sh")
install_packages rsync || {
    echo "no Swift here: rsync cannot be installed" >&2
    exit 75
}
exec 9> "$system.lock"
flock 9

# By content, not by time: a fresh clone has new times on the same files. Generated Swift lies in bindings/swift and goes along.
tree=$system/sotay
mkdir -p "$tree/bindings" "$tree/tests" "$tree/target/debug"
copy() { rsync --recursive --links --perms --checksum --delete --delete-excluded --exclude .build "$@"; }
for folder in bindings/swift ios tests/scenarios; do
    if [ -d "$folder" ]; then copy "$folder/" "$tree/$folder/"; else rm -rf "${tree:?}/$folder"; fi
done
copy .swift-format "$tree/"
for file in sotay-server scenario-server libsotay_ffi.so; do
    [ ! -f "$SOTAY_TARGET/debug/$file" ] || copy "$SOTAY_TARGET/debug/$file" "$tree/target/debug/"
done

# Mounts and processes live in namespaces of their own and end with the command: no mount is left, and no server that a test forgot.
# shellcheck disable=SC2016
exec unshare --mount --propagation private --pid --fork --kill-child bash -c '
    system=$1
    shift
    mount -t proc proc "$system/proc"
    chroot "$system" /usr/bin/env -i \
        HOME=/root PATH=/usr/bin:/bin LANG=C.UTF-8 TERM="${TERM:-dumb}" CI="${CI:-}" \
        SOTAY_ROOT=/sotay SOTAY_SCENARIOS=/sotay/tests/scenarios SOTAY_SERVER=/sotay/target/debug/sotay-server \
        SOTAY_SCENARIO_SERVER=/sotay/target/debug/scenario-server \
        SOTAY_LIBRARY_DIR=/sotay/target/debug LD_LIBRARY_PATH=/sotay/target/debug SOTAY_SCRATCH=/sotay-scratch \
        bash -c '\''cd "$SOTAY_ROOT" && exec "$@"'\'' sotay "$@" || exit $?
' sotay "$system" "$@"
