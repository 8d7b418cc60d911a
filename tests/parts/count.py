"""Counts the tests that a test program ran, from what it left behind.

    python3 count.py NAME FORMAT PATH…

FORMAT is `cargo`, `unittest` or `swift` for the text the program printed, `junit` for XML reports in files or folders. Prints the lines
that common.sh describes: one with the number of tests passed, one for each that failed, one for each that was skipped.
"""

import re
import sys
from pathlib import Path
from xml.etree import ElementTree


class Count:
    def __init__(self) -> None:
        self.passed = 0
        self.failed: list[str] = []
        self.skipped: list[str] = []


def count_cargo(text: str, count: Count) -> None:
    """The harness of Rust prints one line for each test and a summary for each program; the summary is what counts, as a test's own
    output can stand in the middle of its line."""
    failed = skipped = 0
    for summary in re.finditer(r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored;", text, re.M):
        count.passed += int(summary[1])
        failed += int(summary[2])
        skipped += int(summary[3])
    names = re.findall(r"^test (.+) \.\.\. FAILED$", text, re.M)
    count.failed = (names + ["(unnamed)"] * failed)[: max(failed, len(names))]
    names = re.findall(r"^test (.+) \.\.\. ignored", text, re.M)
    count.skipped = (names + ["(unnamed)"] * skipped)[: max(skipped, len(names))]


def count_unittest(text: str, count: Count) -> None:
    """Python's unittest, called with --verbose."""
    for name, outcome in re.findall(r"^(\S+ \(\S+\)).*? \.\.\. (ok|FAIL|ERROR|skipped .*|expected failure)$", text, re.M | re.S):
        if outcome in ("ok", "expected failure"):
            count.passed += 1
        elif outcome.startswith("skipped"):
            count.skipped.append(name)
        else:
            count.failed.append(name)
    # A module that cannot be imported, or a test whose line its own output broke, is in the summary only.
    ran = sum(int(n) for n in re.findall(r"^Ran (\d+) tests? in ", text, re.M))
    problems = sum(int(n) for n in re.findall(r"\b(?:failures|errors)=(\d+)", text))
    skips = sum(int(n) for n in re.findall(r"\bskipped=(\d+)", text))
    count.failed += ["(unnamed)"] * (problems - len(count.failed))
    count.skipped += ["(unnamed)"] * (skips - len(count.skipped))
    count.passed = max(0, ran - len(count.failed) - len(count.skipped))


def count_swift(text: str, count: Count) -> None:
    """XCTest first, Swift Testing after it, in one output. The latter ends with `Test run with N tests …`, which is no test."""
    xctest = r"^Test Case '(?P<x>.+)' (?P<xo>passed|failed|skipped) \("
    testing = r"^\S+ Test (?!run with )(?!case passing )(?P<t>.+?) (?P<to>passed after|failed after|skipped[.:])"
    for found in re.finditer(f"{xctest}|{testing}", text, re.M):
        name = found["x"] or found["t"]
        outcome = found["xo"] or found["to"]
        if outcome.startswith("passed"):
            count.passed += 1
        elif outcome.startswith("failed"):
            count.failed.append(name)
        else:
            count.skipped.append(name)


def count_junit(path: Path, count: Count) -> None:
    for file in sorted(path.rglob("TEST-*.xml")) if path.is_dir() else [path]:
        for case in ElementTree.parse(file).getroot().iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            if case.find("failure") is not None or case.find("error") is not None:
                count.failed.append(name)
            elif case.find("skipped") is not None:
                count.skipped.append(name)
            else:
                count.passed += 1


def main(name: str, form: str, *paths: str) -> None:
    count = Count()
    for path in map(Path, paths):
        if form == "junit":
            if path.exists():
                count_junit(path, count)
        else:
            by_text = {"cargo": count_cargo, "unittest": count_unittest, "swift": count_swift}
            by_text[form](path.read_text(errors="replace"), count)
    if count.passed:
        print(f"passed {count.passed} {name}")
    for failed in count.failed:
        print(f"failed 1 {name}: {failed}")
    for skipped in count.skipped:
        print(f"skipped 1 {name}: {skipped}")


if __name__ == "__main__":
    main(*sys.argv[1:])
