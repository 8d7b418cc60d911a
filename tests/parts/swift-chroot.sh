#!/usr/bin/env bash
# Makes a Debian 13 system with Swift 6 in a folder, for machines whose own distribution has no Swift package.
#
#   tests/parts/swift-chroot.sh        prints the folder; makes it first if it is not there (about 3 GB, two minutes)
#
# Invariant: the folder exists only when it is complete. debootstrap works in a neighbouring folder that is renamed at the end, so an
# interrupted run leaves nothing that a later one could mistake for a system.
#
# Exit codes: 0 made or found; 75 cannot be made on this machine (the reason is the last line on standard error), so the caller skips by name.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# A new name whenever the list of packages changes: an old folder is then never taken for a new one.
system=$SOTAY_CACHE/swift/trixie-1
unable() {
    echo "no Swift here: $1" >&2
    exit 75
}

if [ ! -d "$system" ]; then
    [ "$(id -u)" = 0 ] || unable "no swift 6 or later is on the PATH, and making a chroot needs root"
    unshare --mount --propagation private true 2> /dev/null || unable "this machine does not let a process have mounts of its own"
    install_packages debootstrap || unable "debootstrap cannot be installed"
    mkdir -p "$(dirname "$system")"
    exec 8> "$system.making.lock"
    flock 8
fi
if [ ! -d "$system" ]; then
    # The mirror that this machine's own apt uses is the one that certainly answers. Where that is not Debian's, debootstrap's own default is asked.
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(SITE)' 2> /dev/null | grep '/debian/*$' | sort -u | head -n 1 || true)

    making=$system.making
    say "installs Debian 13 with swiftlang in $system (about 3 GB)"
    # The tests play a phone's secure hardware with openssl, which ca-certificates brings along in any case.
    # debootstrap mounts /proc inside. In a mount namespace of its own that mount ends with it, so no removal can ever reach through it.
    rm -rf --one-file-system "$making"
    unshare --mount --propagation private debootstrap --variant=minbase \
        --include=swiftlang,libswiftlang,swiftlang-dev,libc6-dev,libstdc++-14-dev,git,ca-certificates,openssl \
        trixie "$making" ${mirror:+"$mirror"} > "$system.log" 2>&1 || unable "debootstrap failed, see $system.log"
    rm -f "$making"/var/cache/apt/archives/*.deb
    mv -T "$making" "$system"
fi
echo "$system"
