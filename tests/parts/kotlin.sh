#!/usr/bin/env bash
# The Kotlin library on the JVM: its wrapper and the shared scenarios, on the real library and a real server.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$SOTAY_ROOT"

if ! { need mvn maven && need javac openjdk-17-jdk-headless; }; then
    skipped kotlin "Maven or a JDK is missing and cannot be installed"
    exit 0
fi
build_rust
require "generate Kotlin" bindings/generate.sh kotlin bindings/kotlin/target/generated-sources/uniffi

# Reports of an earlier run must not be counted.
rm -rf bindings/kotlin/target/surefire-reports
code=0
mvn -B -f bindings/kotlin/pom.xml test -Dsotay.libraryDir="$SOTAY_LIBRARY_DIR" -Dsotay.server="$SOTAY_SERVER" \
    -Dsotay.scenarioServer="$SOTAY_SCENARIO_SERVER" -Dsotay.scenarios="$SOTAY_SCENARIOS" || code=$?
count_tests kotlin $code junit bindings/kotlin/target/surefire-reports
