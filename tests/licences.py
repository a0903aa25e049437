#!/usr/bin/env python3
"""Every dependency of the program has a licence that its users can live with.

Reads `cargo metadata`, of the fuzz targets too; needs nothing else. `.deny.toml` says the same to
cargo-deny, which also looks at advisories.
"""

import json
import re
import subprocess
import sys

ALLOWED = {
    "MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "ISC", "Zlib", "Unicode-3.0",
    "Unlicense", "CC0-1.0", "0BSD", "MIT-0", "BSL-1.0",
    "bzip2-1.0.6", "CDLA-Permissive-2.0",
}
WORD = re.compile(r"[A-Za-z0-9.+-]+(?: WITH [A-Za-z0-9.-]+)?")


# libFuzzer's own, in programs that are never shipped.
FUZZING = {"NCSA"}


def holds(expression, allowed):
    """Whether one side of every OR, and every side of an AND, is allowed."""
    words = {"OR": "or", "AND": "and"}
    text = re.sub(r"\s*/\s*", " OR ", expression)
    return bool(eval(WORD.sub(lambda m: words.get(m[0], str(m[0] in allowed)), text), {"__builtins__": {}}))


def main():
    is_wrong = False
    for manifest, allowed in ("Cargo.toml", ALLOWED), ("tests/fuzz/Cargo.toml", ALLOWED | FUZZING):
        command = ["cargo", "metadata", "--format-version", "1", "--locked", "--manifest-path", manifest]
        packages = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)["packages"]
        wrong = [(p["name"], p["version"], p["license"]) for p in packages if not (p["license"] and holds(p["license"], allowed))]
        for name, version, licence in wrong:
            print(f"{name} {version}: licence {licence} is not allowed")
        print(f"{manifest}: {len(packages)} packages, {len(wrong)} with a licence that is not allowed")
        is_wrong |= bool(wrong)
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
