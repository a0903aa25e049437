#!/usr/bin/env python3
"""The law on real repositories: the fast engine finds in every blob what the oracle finds.

    cargo build --release
    tests/bench/law.py [--every N] REPO…

The fast engine reads the repository's packs and inherits; the oracle (`--engine whole`) knows no
packs: every N-th blob (by its id) is taken out of the object store by git itself, written to a
folder under the path that git tells for it, and every pattern is tried over the whole of it. The
rules of dense.toml join, which match everywhere, because real secrets are too rare to prove much. What
both say of those blobs at those paths is compared place for place: rule, position, secret.
Exit code 1 and the differences if they differ. Needs git and Python 3.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def git(repository, *words, text=None):
    return subprocess.run(["git", "-C", repository, *words], input=text, capture_output=True, check=True).stdout


def paths(repository):
    """One path of each blob, as git lists it."""
    found = {}
    for line in git(repository, "rev-list", "--objects", "--missing=allow-any", "--all").split(b"\n"):
        name, _, path = line.partition(b" ")
        if path:
            found[name.decode()] = path
    return found


def read(repository, names):
    """The contents of blobs, from one git process."""
    with subprocess.Popen(["git", "-C", repository, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for name in names:
            process.stdin.write(name.encode() + b"\n")
            process.stdin.flush()
            size = int(process.stdout.readline().split()[2])
            yield process.stdout.read(size + 1)[:-1]


def places(output, key):
    found = set()
    for line in output.splitlines():
        place = json.loads(line)
        spot = key(place)
        if spot:
            found.add((*spot, place["rule"], place["line"], place["column"], place["end_line"], place["end_column"], place["secret_id"]))
    return found


def scan(program, state, *words):
    done = subprocess.run([program, "--state", state, "scan", "-q", "--format", "jsonl", *words], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--every", type=int, default=50, metavar="N", help="compare every N-th blob")
    parser.add_argument("--rules", nargs="*", default=[str(ROOT / "tests/bench/dense.toml")], help="rules beside the embedded ones")
    parser.add_argument("--program", default=str(ROOT / "target/release/keymuster"))
    parser.add_argument("repositories", nargs="+")
    args = parser.parse_args()
    wrong = False
    for repository in args.repositories:
        with tempfile.TemporaryDirectory() as folder:
            state = str(Path(folder) / "state")
            subprocess.run([args.program, "--state", state, "key", "new"], check=True, capture_output=True)
            known = paths(repository)
            sample = sorted(name for name in known if int(name[:8], 16) % args.every == 0)
            checks = git(repository, "cat-file", "--batch-check", text="\n".join(sample).encode()).decode().splitlines()
            blobs = [line.split()[0] for line in checks if line.split()[1:2] == ["blob"]]
            tree = Path(folder) / "blobs"
            size = 0
            contents = read(repository, blobs)
            for name in blobs:
                path = tree / name / Path(known[name].decode("utf-8", "surrogateescape").lstrip("/"))
                path.parent.mkdir(parents=True, exist_ok=True)
                content = next(contents)
                size += len(content)
                path.write_bytes(content)
            rules = ["--rules", *args.rules, "--"] if args.rules else ["--"]
            oracle = places(
                scan(args.program, state, "--history", "none", "--engine", "whole", *rules, str(tree)),
                lambda place: tuple(place["path"].split("/", 1)),
            )
            chosen = {(name, known[name].decode("utf-8", "backslashreplace")) for name in blobs}
            fast = places(
                scan(args.program, state, "--every-version", *rules, repository),
                lambda place: (place["blob"], place["path"]) if (place["blob"], place["path"]) in chosen else None,
            )
            print(f"{repository}: {len(blobs)} blobs, {size / 1e6:.0f} MB: oracle {len(oracle)} places, fast {len(fast)}, only oracle {len(oracle - fast)}, only fast {len(fast - oracle)}")
            for side, places_of in (("only the oracle", oracle - fast), ("only fast", fast - oracle)):
                for place in sorted(places_of)[:20]:
                    print(f"  {side}: {place[:-1]}")
            wrong |= oracle != fast
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
