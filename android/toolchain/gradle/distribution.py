"""Lays out a Gradle installation around the jar that Unrelocate.java made.

    python3 distribution.py GRADLE_API_JAR DESTINATION JARS_DIR

Gradle finds its modules by name: for each module `m` it opens `lib/m-VERSION.jar` (or `lib/plugins/…`), reads `m-classpath.properties` in it
and follows the modules and third-party jars named there. Here all classes are in one jar, so every other module is a jar that holds
nothing but that file, and third-party jars that are inside the one jar become empty ones. The module list comes from the API jar itself.
"""

import os
import shutil
import sys
import zipfile
from pathlib import Path

VERSION = "8.11.1"

# The module whose jar carries all classes: the first one that Gradle puts on its class path.
ALL_CLASSES = "gradle-base-services"

# Real third-party jars: build scripts are written in Groovy, plug-ins link to the Kotlin library, tasks may call Ant.
EXTERNAL = [
    *(
        f"{name}-3.0.22.jar"
        for name in (
            "groovy",
            "groovy-ant",
            "groovy-json",
            "groovy-xml",
            "groovy-templates",
            "groovy-astbuilder",
            "groovy-datetime",
            "groovy-dateutil",
            "groovy-nio",
            "groovy-sql",
        )
    ),
    "kotlin-stdlib-2.0.20.jar",
    "kotlin-reflect-2.0.20.jar",
    "ant-1.10.14.jar",
    "ant-launcher-1.10.14.jar",
]

# Third-party jars that Gradle asks for by file name; their classes are in the one jar, or nothing here needs them.
EMPTY_EXTERNAL = [
    "asm-9.7.jar",
    "commons-lang-2.6.jar",
    "groovy-console-3.0.22.jar",
    "groovy-groovydoc-3.0.22.jar",
    "groovy-test-3.0.22.jar",
    "guava-32.1.2.jar",
    "javaparser-core-3.17.0.jar",
    "jul-to-slf4j-1.7.36.jar",
    "kotlin-sam-with-receiver-compiler-plugin-2.0.20.jar",
    "kryo-2.24.0.jar",
    "native-platform-0.22.jar",
    "slf4j-api-1.7.36.jar",
]

# Modules that Gradle asks for and the API jar does not describe. Without gradle-kotlin-dsl there are no build.gradle.kts files.
EMPTY_MODULES = ["gradle-installation-beacon", "gradle-kotlin-dsl"]

# -Xmx: the whole build, Kotlin's and Android's compilers included, runs in this one process.
LAUNCHER = f"""#!/bin/sh
home=$(cd "$(dirname "$0")/.." && pwd)
class_path=$home/lib/{ALL_CLASSES}-{VERSION}.jar
for jar in "$home"/lib/groovy-*.jar "$home"/lib/kotlin-*.jar "$home"/lib/ant*.jar; do class_path=$class_path:$jar; done
exec "${{JAVA_HOME:+$JAVA_HOME/bin/}}java" -Xmx3g -XX:MaxMetaspaceSize=1g -cp "$class_path" org.gradle.launcher.GradleMain "$@"
"""


def properties(text: str) -> dict[str, str]:
    """A Java properties file without escapes or continued lines, as Gradle writes these."""
    lines = (line for line in text.splitlines() if line and not line.startswith("#"))
    return {key: value for key, _, value in (line.partition("=") for line in lines)}


def read_modules(api: zipfile.ZipFile) -> tuple[dict[str, list[str]], set[str]]:
    """The modules with those each depends on, and the names of the modules that are plug-ins."""
    suffix = "-classpath.properties"
    modules = {}
    for name in api.namelist():
        if name.endswith(suffix) and "/" not in name:
            projects = properties(api.read(name).decode()).get("projects", "")
            modules[name.removesuffix(suffix)] = projects.split(",")
    plugins = set()
    for name in ("gradle-plugins.properties", "gradle-implementation-plugins.properties"):
        plugins.update(properties(api.read(name).decode()).get("plugins", "").split(","))
    plugins.discard("")
    for plugin in plugins:
        modules.setdefault(plugin, [])
    # The API jar leaves the command line's own module out.
    modules["gradle-gradle-cli"] = ["gradle-gradle-cli-main", "gradle-launcher"]
    return modules, plugins


def main(api_jar: str, destination: str, jars: str) -> None:
    home, lib = Path(destination), Path(destination, "lib")
    with zipfile.ZipFile(api_jar) as api:
        modules, plugins = read_modules(api)

    for jar in [*EXTERNAL, "javax.inject-1.jar"]:
        shutil.copy(Path(jars, jar), lib / jar)
    for jar in EMPTY_EXTERNAL:
        with zipfile.ZipFile(lib / jar, "w") as out:
            out.writestr("META-INF/empty", "")

    for module, needed in modules.items():
        known = ",".join(name for name in needed if name in modules and name != module)
        runtime = ",".join(EXTERNAL) if module == ALL_CLASSES else ""
        described = f"projects={known}\nruntime={runtime}\n"
        in_plugins = module in plugins and module not in modules["gradle-launcher"]
        jar = (lib / "plugins" if in_plugins else lib) / f"{module}-{VERSION}.jar"
        with zipfile.ZipFile(jar, "a" if module == ALL_CLASSES else "w") as out:
            out.writestr(f"{module}-classpath.properties", described)
    for module in EMPTY_MODULES:
        with zipfile.ZipFile(lib / f"{module}-{VERSION}.jar", "w") as out:
            out.writestr(f"{module}-classpath.properties", "projects=\nruntime=\n")

    launcher = home / "bin" / "gradle"
    launcher.write_text(LAUNCHER)
    os.chmod(launcher, 0o755)


if __name__ == "__main__":
    main(*sys.argv[1:])
