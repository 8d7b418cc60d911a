"""Makes jars out of the running JDK's modules.

    python3 jmods.py JDK_HOME OUT_JAR MODULE...

The Android plug-in wants `core-for-system-modules.jar` to build a system image for javac from, and android.jar wants the few `java.*` classes that
the Android jar has no copy of.
"""

import io
import sys
import zipfile
from pathlib import Path

# A .jmod file is these four bytes and then an ordinary zip.
MAGIC = b"JM\x01\x00"


def main(jdk: str, out_jar: str, *modules: str) -> None:
    with zipfile.ZipFile(out_jar, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for module in modules:
            raw = Path(jdk, "jmods", f"{module}.jmod").read_bytes()
            if not raw.startswith(MAGIC):
                sys.exit(f"{module}.jmod of this JDK is of an unknown format")
            with zipfile.ZipFile(io.BytesIO(raw[len(MAGIC) :])) as contents:
                for name in contents.namelist():
                    is_class = name.startswith("classes/") and name.endswith(".class")
                    if is_class and "module-info" not in name:
                        out.writestr(name.removeprefix("classes/"), contents.read(name))


if __name__ == "__main__":
    main(*sys.argv[1:])
