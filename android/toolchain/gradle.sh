#!/usr/bin/env bash
# Runs Gradle in a project folder, on a machine that has neither Gradle nor Google's Android SDK.
#
#   android/toolchain/gradle.sh PROJECT_DIR TASK…
#
# The first call puts both together (setup.sh). TOOLS_DIR says where; all that Gradle downloads goes there too.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools=${TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/sotay/android}
"$here/setup.sh" "$tools"

export ANDROID_HOME=$tools/sdk
export ANDROID_USER_HOME=$tools/android-user
export GRADLE_USER_HOME=${GRADLE_USER_HOME:-$tools/gradle-home}
cd "$1"
shift
# sotay.google: only Maven Central is asked, so that a machine that does not reach Google's repository does not wait for it.
# aapt2FromMavenOverride: the plug-in would fetch its own aapt2 from there.
exec "$tools/gradle-8.11.1/bin/gradle" \
    -Psotay.google=false \
    -Pandroid.aapt2FromMavenOverride="$tools/sdk/build-tools/35.0.0/aapt2" \
    "$@"
