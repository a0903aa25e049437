#!/usr/bin/env python3
"""The law on real repositories: the fast engine finds in every blob what the oracle finds.

    cargo build --release
    tests/bench/law.py [--megabytes N] [--salt WORD] [--rules FILE…] REPO…

The oracle (`--engine whole`) tries every pattern over the whole of a blob, which takes about two
seconds of CPU for a megabyte, so a sample is compared: paths, each with up to 40 versions in a row,
so that there are deltas, edits and seams. First the paths at which the fast engine finds something,
up to half of N megabytes, then further ones up to N; both in the order of the SHA-256 of salt and
path, which also says with which version to begin. Blobs above 512 KiB are left out. The oracle knows no packs: git itself takes the blobs out, and
they are searched as files of a folder, under the path that git tells for them. The fast engine sees
the same blobs

- in packs that git makes of them, with three kinds of deltas, in a repository whose commits are
  the versions, and
- in the repository itself, in the packs it has (left out with --rules: rules that match everywhere
  would keep every place of the history in memory).

What they say of those blobs at those paths with `--every-version` is compared place for place:
rule, position, secret. With `--rules tests/bench/dense.toml` rules join that match everywhere, for
few files hold anything that looks like a secret. Exit code 1 and the differences if there are any.
Needs git and Python 3.
"""

import argparse
import hashlib
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LARGEST = 512 << 10
VERSIONS = 40
LAYOUTS = {
    "depth 50, window 10": ["--depth=50", "--window=10", "--delta-base-offset"],
    "depth 250, window 50": ["--depth=250", "--window=50", "--delta-base-offset"],
    "depth 3, window 50, bases by name": ["--depth=3", "--window=50"],
}


def git(repository, *words, text=None):
    return subprocess.run(["git", "-C", repository, *words], input=text, capture_output=True, check=True).stdout


def versions(repository):
    """The objects at each path, newest first, as git lists them: each under one path."""
    found = {}
    for line in git(repository, "rev-list", "--objects", "--missing=allow-any", "--all").split(b"\n"):
        name, _, path = line.partition(b" ")
        if path:
            found.setdefault(path, []).append(name.decode())
    return found


def sample(repository, salt, budget, found):
    """Path and blobs, until the budget of bytes is used up; paths of `found` first."""
    known = versions(repository)
    lot = {path: hashlib.sha256(salt.encode() + path).digest() for path in known}
    order = sorted(known, key=lot.get)
    chosen, size = {}, 0
    for some, most in ([path for path in order if path in found], budget // 2), (order, budget):
        for start in range(0, len(some), 200):
            if size >= most:
                break
            part = [path for path in some[start : start + 200] if path not in chosen]
            names = [name for path in part for name in known[path]]
            told = git(repository, "cat-file", "--batch-check", text="\n".join(names).encode()).decode().splitlines()
            sizes = {name: int(size) for name, kind, size in (line.split() for line in told if line.count(" ") == 2) if kind == "blob"}
            for path in part:
                blobs = [name for name in known[path] if sizes.get(name, LARGEST + 1) <= LARGEST]
                first = int.from_bytes(lot[path][:4]) % max(len(blobs) - VERSIONS + 1, 1)
                blobs = blobs[first : first + VERSIONS]
                if blobs and size < most:
                    chosen[path] = blobs
                    size += sum(sizes[name] for name in blobs)
    return chosen, size


def read(repository, names):
    """The contents of blobs, from one git process."""
    with subprocess.Popen(["git", "-C", repository, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for name in names:
            process.stdin.write(name.encode() + b"\n")
            process.stdin.flush()
            size = int(process.stdout.readline().split()[2])
            yield process.stdout.read(size + 1)[:-1]
        process.stdin.close()


def as_files(repository, chosen, folder):
    """Writes each blob to `<blob>/<path>`."""
    pairs = [(path, name) for path, names in chosen.items() for name in names]
    for (path, name), content in zip(pairs, read(repository, [name for _, name in pairs])):
        file = folder / name / path.decode("utf-8", "surrogateescape").lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def as_repository(repository, chosen, folder):
    """A repository of these blobs: its n-th commit has the n-th version of every path, each path in a
    folder of its own, because a file and a folder may have had the same name."""
    subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
    lines = [name.encode() + b" " + path for path, names in chosen.items() for name in names]
    pack = git(repository, "pack-objects", "-q", "--stdout", text=b"\n".join(lines) + b"\n")
    git(folder, "index-pack", "--stdin", text=pack)
    commits = []
    for version in range(max(map(len, chosen.values()))):
        commits.append(b"commit refs/heads/main\ncommitter a <a@example.com> %d +0000\ndata 1\n.\n" % (1_700_000_000 + version))
        for number, (path, names) in enumerate(sorted(chosen.items())):
            if version < len(names):
                quoted = b"".join(b"\\%03o" % byte if byte in b'"\\\n' or byte >= 0x7F else bytes([byte]) for byte in b"%d/" % number + path)
                commits.append(b'M 100644 %s "%s"\n' % (names[-1 - version].encode(), quoted))
    git(folder, "fast-import", "--quiet", text=b"".join(commits))


def deltas(repository):
    """How many objects of a repository's packs are deltas, and how long the longest chain is."""
    packs = Path(repository).glob("objects/pack/*.idx")
    told = "".join(subprocess.run(["git", "verify-pack", "-s", pack], capture_output=True, text=True).stdout for pack in packs)
    chains = [line for line in told.splitlines() if line.startswith("chain length")]
    count = sum(int(line.split(": ")[1].split()[0]) for line in chains)
    return f"{count} deltas, chains of {max([int(line.split()[3].rstrip(':')) for line in chains], default=0)}"


def scan(program, state, *words):
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    done = subprocess.run([program, "--state", state, "scan", "-q", "--format", "jsonl", *words], capture_output=True)
    if done.returncode not in (0, 1, 3):
        sys.exit(f"{words}: exit {done.returncode}\n{done.stderr.decode()}")
    places = [json.loads(line) for line in done.stdout.splitlines()]
    return places, resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - began


def spots(places, key):
    found = set()
    for place in places:
        spot = key(place)
        if spot:
            position = (place["line"], place["column"], place["end_line"], place["end_column"])
            found.add((*spot, place["rule"], *position, tuple(place["decoded"]), place["secret_id"]))
    return found


def differ(what, oracle, fast, seconds):
    print(f"  {what}: {len(fast)} places in {seconds:.1f} s, only the oracle {len(oracle - fast)}, only fast {len(fast - oracle)}")
    for side, places in (("only the oracle", oracle - fast), ("only fast", fast - oracle)):
        for place in sorted(places)[:20]:
            print(f"    {side}: {place[:-1]}")
    return oracle != fast


def compare(repository, args, folder):
    state = str(folder / "state")
    subprocess.run([args.program, "--state", state, "key", "new"], check=True, capture_output=True)
    own, own_seconds = scan(args.program, state, "--every-version", "--", repository)
    found = {place["path"].encode() for place in own}
    chosen, size = sample(repository, args.salt, args.megabytes * 1_000_000, found)
    count = sum(map(len, chosen.values()))
    share = sum(path in found for path in chosen)
    print(f"{repository}: {count} blobs, {size / 1e6:.1f} MB, versions of {len(chosen)} paths, {share} of the {len(found)} with places (salt '{args.salt}')", flush=True)
    rules = ["--rules", *args.rules, "--"] if args.rules else ["--"]
    # One spelling of a path for both sides; git lists a repeated blob under one path only.
    shown = {path: path.decode("utf-8", "backslashreplace") for path in chosen}
    pairs = {(name, shown[path]) for path, names in chosen.items() for name in names}

    as_files(repository, chosen, folder / "files")
    places, seconds = scan(args.program, state, "--history", "none", "--engine", "whole", *rules, str(folder / "files"))
    oracle = spots(places, lambda place: tuple(place["path"].split("/", 1)))
    by_rule = len({place["rule"] for place in places})
    print(f"  oracle: {len(oracle)} places of {by_rule} rules in {seconds:.1f} s", flush=True)

    scratch = str(folder / "scratch")
    as_repository(repository, chosen, scratch)
    is_wrong = False
    for name, words in LAYOUTS.items():
        # `pack-objects`, because `repack` has no words for bases by name.
        names = git(scratch, "rev-list", "--objects", "--all")
        old = list(Path(scratch).glob("objects/pack/pack-*"))
        new = git(scratch, "pack-objects", "-q", "--no-reuse-delta", *words, str(folder / "pack"), text=names).decode().strip()
        for file in old:
            file.unlink()
        for kind in ("pack", "idx"):
            (folder / f"pack-{new}.{kind}").rename(Path(scratch) / f"objects/pack/pack-{new}.{kind}")
        places, seconds = scan(args.program, state, "--every-version", *rules, scratch)
        fast = spots(places, lambda place: place["blob"] and (place["blob"], place["path"].split("/", 1)[1]))
        is_wrong |= differ(f"packed with {name} ({deltas(scratch)})", oracle, fast, seconds)
    if not args.rules:
        fast = spots(own, lambda place: (place["blob"], place["path"]) if (place["blob"], place["path"]) in pairs else None)
        is_wrong |= differ(f"the repository itself ({len(own)} places in all)", oracle, fast, own_seconds)
    return is_wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=50, metavar="N", help="size of the sample of each repository")
    parser.add_argument("--salt", default="", help="another word, another sample")
    parser.add_argument("--rules", nargs="*", default=[], help="rules beside the embedded ones")
    parser.add_argument("--program", default=str(ROOT / "target/release/keymuster"))
    parser.add_argument("repositories", nargs="+")
    args = parser.parse_args()
    is_wrong = False
    for repository in args.repositories:
        with tempfile.TemporaryDirectory() as folder:
            is_wrong |= compare(repository, args, Path(folder))
    return int(is_wrong)


if __name__ == "__main__":
    sys.exit(main())
