#!/usr/bin/env python3
"""Every dependency of the program has a licence that its users can live with.

Reads `cargo metadata`; needs nothing else. `.deny.toml` says the same to cargo-deny, which also
looks at advisories.
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


def holds(expression):
    """Whether one side of every OR, and every side of an AND, is allowed."""
    words = {"OR": "or", "AND": "and"}
    text = re.sub(r"\s*/\s*", " OR ", expression)
    return bool(eval(WORD.sub(lambda m: words.get(m[0], str(m[0] in ALLOWED)), text), {"__builtins__": {}}))


def main():
    text = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked"], capture_output=True, check=True).stdout
    packages = json.loads(text)["packages"]
    wrong = [(p["name"], p["version"], p["license"]) for p in packages if not (p["license"] and holds(p["license"]))]
    for name, version, licence in wrong:
        print(f"{name} {version}: licence {licence} is not allowed")
    print(f"{len(packages)} packages, {len(wrong)} with a licence that is not allowed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
