#!/usr/bin/env bash
# Puts together a Gradle 8.11.1 (no daemon, no Kotlin build files) and a stand-in for the Android SDK, platform 35, from Maven artifacts.
#
#   android/toolchain/setup.sh DIR        makes DIR/gradle-8.11.1 and DIR/sdk, unless they are there already
#
# Invariant: DIR/complete names the state of these scripts that made the two folders. It is written last, so an interrupted or outdated
# set-up is made anew and never used.
#
# Exit codes: 0 made or found; 75 the artifacts or a JDK are not to be had on this machine.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
tools=$(cd "$1" && pwd)

recipe=$(cd "$here" && find . -type f ! -name README.md ! -name gradle.sh -print0 | sort -z | xargs -0 cat | sha256sum | cut -d ' ' -f 1)
is_complete() { [ "$(cat "$tools/complete" 2>/dev/null)" = "$recipe" ]; }
is_complete && exit 0

# One set-up at a time; who waited finds it done.
exec 9> "$tools/lock"
flock 9
is_complete && exit 0
rm -f "$tools/complete"

unable() {
    echo "no Android build here: $1" >&2
    exit 75
}
for command in java javac jar mvn python3 unzip; do
    command -v "$command" > /dev/null || unable "$command is missing"
done
jdk=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")}
[ -d "$jdk/jmods" ] || unable "$jdk is no full JDK (it has no jmods folder)"

echo "installs Gradle 8.11.1 and a stand-in Android SDK in $tools" >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
jars=$work/jars
mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DoutputDirectory="$jars" >&2 \
    || unable "the artifacts of $here/pom.xml cannot be fetched"
asm=$jars/asm-9.7.1.jar:$jars/asm-commons-9.7.1.jar:$jars/asm-tree-9.7.1.jar

make_gradle() {
    local api=$jars/gradle-api-8.11.1.jar
    local home=$tools/gradle-8.11.1
    local main=$home/lib/gradle-base-services-8.11.1.jar
    rm -rf "$home"
    mkdir -p "$home/lib/plugins" "$home/bin"
    java -cp "$asm" "$here/gradle/Unrelocate.java" "$api" "$main"
    python3 "$here/gradle/distribution.py" "$api" "$home" "$jars"

    # Two classes that the API jar has no usable version of, each put into the jar of the module that Gradle looks for it in.
    # (javac warns of annotations missing from the API jar.)
    javac -nowarn -proc:none -cp "$main:$jars/groovy-3.0.22.jar" -d "$work/launcher" \
        "$here/gradle/launcher/org/gradle/launcher/Main.java" 2> "$work/javac.log" || { cat "$work/javac.log" >&2; return 1; }
    jar uf "$home/lib/gradle-gradle-cli-8.11.1.jar" -C "$work/launcher" org
    javac -d "$work/compiler" "$here"/gradle/compiler/org/gradle/internal/compiler/java/*.java
    local module
    module=$(find "$home/lib" -name 'gradle-java-compiler-plugin-*.jar')
    jar uf "$module" -C "$work/compiler" org
    "$home/bin/gradle" --version >&2
}

make_sdk() {
    local sdk=$tools/sdk
    local platform=$sdk/platforms/android-35
    local build_tools=$sdk/build-tools/35.0.0
    local android=$jars/android-all-15-robolectric-12650502.jar
    rm -rf "$sdk"
    mkdir -p "$platform" "$build_tools/lib" "$build_tools/renderscript/include" "$build_tools/renderscript/clang-include" \
        "$sdk/platform-tools" "$sdk/licenses"

    python3 "$here/sdk/jmods.py" "$jdk" "$platform/core-for-system-modules.jar" java.base
    python3 "$here/sdk/jmods.py" "$jdk" "$work/jdk.jar" java.base java.xml java.sql java.logging
    java -cp "$asm" "$here/sdk/StubJar.java" "$platform/android.jar" "$android" "$work/jdk.jar"
    unzip -q -p "$android" build.prop > "$platform/build.prop"
    : > "$platform/framework.aidl"
    cp "$here/sdk/platform.properties" "$platform/source.properties"
    printf 'Pkg.UserSrc=false\nPkg.Revision=35.0.0\n' > "$build_tools/source.properties"
    printf 'Pkg.UserSrc=false\nPkg.Revision=35.0.2\n' > "$sdk/platform-tools/source.properties"

    unzip -q -o -j "$jars/apktool-lib-3.0.3.jar" prebuilt/linux/aapt2 -d "$build_tools"
    chmod +x "$build_tools/aapt2"
    # The plug-in checks that these are there and, for this project, calls none of them: it compiles, shrinks and signs by itself.
    local tool
    for tool in aapt aidl apksigner bcc_compat d8 dexdump dx llvm-rs-cc split-select zipalign; do
        printf '#!/bin/sh\necho "%s: not part of the stand-in Android SDK" >&2\nexit 1\n' "$tool" > "$build_tools/$tool"
        chmod +x "$build_tools/$tool"
    done
    local empty
    : > "$work/empty"
    for empty in core-lambda-stubs.jar lib/d8.jar lib/apksigner.jar; do
        jar cfM "$build_tools/$empty" -C "$work" empty
    done
}

make_gradle
make_sdk
echo "$recipe" > "$tools/complete"
