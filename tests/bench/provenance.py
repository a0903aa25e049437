#!/usr/bin/env python3
"""Checks the provenance of a full-history scan by brute force, with git alone.

    keymuster key new --state STATE
    keymuster scan REPO --every-version --format jsonl -o all.jsonl --state STATE
    keymuster scan REPO --format jsonl -o newest.jsonl --state STATE
    git -C REPO cat-file --batch-all-objects --unordered --batch \\
        | cargo run --profile quick --example holders STATE > holders.txt
    tests/bench/provenance.py REPO all.jsonl newest.jsonl holders.txt

Which blobs hold which secret is taken from `holders.txt` (every blob searched by itself, whatever
its paths: a rule may be silent in tests or prose, and a secret that stands there first was brought
in there all the same) and, for what only a file's name tells, from `all.jsonl`. Then, for every
commit that any ref reaches, it walks the trees (each distinct tree once) and works out, for each
secret: the commits that contain it where no parent of theirs does, the number of versions of each
path, and the refs whose tip holds it. These are compared with what `newest.jsonl` says. A commit
that no ref reaches counts only where no reachable one holds the secret, as in the scanner.
Needs Python 3 and git; nothing else.
"""

import json
import subprocess
import sys
from collections import defaultdict


def git(repo, *args, data=None):
    return subprocess.run(["git", "-C", repo, *args], input=data, capture_output=True, check=True).stdout


class Objects:
    """`git cat-file --batch`, one process."""

    def __init__(self, repo):
        self.process = subprocess.Popen(["git", "-C", repo, "cat-file", "--batch", "--buffer"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def read(self, ids):
        """The objects of these ids, in order."""
        import threading
        feed = threading.Thread(target=self._feed, args=(ids,))
        feed.start()
        for _ in ids:
            header = self.process.stdout.readline().split()
            if len(header) < 3:
                yield None
                continue
            yield self.process.stdout.read(int(header[2]))
            self.process.stdout.read(1)
        feed.join()

    def _feed(self, ids):
        for oid in ids:
            self.process.stdin.write(oid.encode() + b"\n")
        self.process.stdin.write(b"")
        self.process.stdin.flush()
        self.process.stdin.close()


def entries(tree):
    at = 0
    while at < len(tree):
        space = tree.index(b" ", at)
        zero = tree.index(b"\0", space)
        yield tree[at:space], tree[space + 1:zero], tree[zero + 1:zero + 21].hex()
        at = zero + 21


def main():
    repo, all_file, newest_file, holders = sys.argv[1:5]
    holds = defaultdict(set)  # blob -> secrets
    shown = defaultdict(set)  # (secret, path) -> blobs that the scanner tells there
    for line in open(all_file):
        row = json.loads(line)
        if row["blob"]:
            holds[row["blob"]].add(row["secret_id"])
            shown[row["secret_id"], row["path"].encode()].add(row["blob"])
    wanted = set().union(*holds.values()) if holds else set()
    for line in open(holders):
        blob, secret = line.split()
        if secret in wanted:
            holds[blob].add(secret)
    print(f"{len(holds)} blobs hold {len(set().union(*holds.values()) if holds else [])} secrets")

    commits, trees = {}, []
    listing = git(repo, "log", "--all", "--format=%H %T %ct %P")
    for line in listing.decode().splitlines():
        oid, tree, _, *parents = line.split()
        commits[oid] = (tree, parents)
        trees.append(tree)
    print(f"{len(commits)} commits")

    # Every distinct tree once, level by level.
    content, wanted = {}, sorted(set(trees))
    while wanted:
        below = set()
        for oid, tree in zip(wanted, Objects(repo).read(wanted)):
            content[oid] = list(entries(tree)) if tree is not None else []
            below.update(child for mode, _, child in content[oid] if mode == b"40000" and child not in content)
        wanted = sorted(child for child in below if child not in content)
    print(f"{len(content)} trees")

    found = {}  # tree -> [(path, secret, blob)]

    def inside(tree):
        if tree not in found:
            stack = [tree]
            while stack:
                top = stack[-1]
                missing = [child for mode, _, child in content.get(top, []) if mode == b"40000" and child not in found]
                if missing:
                    stack.extend(missing)
                    continue
                stack.pop()
                if top in found:
                    continue
                here = []
                for mode, name, child in content.get(top, []):
                    if mode == b"40000":
                        here.extend((name + b"/" + path, secret, blob) for path, secret, blob in found[child])
                    else:
                        here.extend((name, secret, child) for secret in holds.get(child, ()))
                found[top] = here
        return found[tree]

    introduced, versions, secrets_of = defaultdict(set), defaultdict(set), {}
    for oid, (tree, _) in commits.items():
        secrets_of[oid] = {secret for _, secret, _ in inside(tree)}
        for path, secret, blob in inside(tree):
            versions[secret, path].add(blob)
    for oid, (_, parents) in commits.items():
        for secret in secrets_of[oid]:
            if not any(secret in secrets_of.get(parent, ()) for parent in parents):
                introduced[secret].add(oid)
    tips = defaultdict(set)
    for line in git(repo, "for-each-ref", "--format=%(refname) %(objectname) %(*objectname)").decode().splitlines():
        name, *ids = line.split()
        for oid in ids:
            if oid in commits:
                for path, secret, _ in inside(commits[oid][0]):
                    tips[secret, path].add(name)

    checked = wrong = 0
    told = set()
    for line in open(newest_file):
        row = json.loads(line)
        if not row["blob"] or row["commit"] is None:
            continue
        key = (row["secret_id"], row["path"].encode())
        told.add(key)
        checked += 1
        problems = []
        mine = {commit["id"] for commit in row["introduced"] or []}
        if mine != introduced[row["secret_id"]]:
            problems.append(f"introduced {sorted(mine)} instead of {sorted(introduced[row['secret_id']])}")
        if row["versions"] != len(versions[key]):
            problems.append(f"versions {row['versions']} instead of {len(versions[key])}")
        mine = set(row["at_tip"] or []) - {"HEAD"}
        # The scanner lists at most 1,000 refs.
        if row["at_tip"] is not None and (mine != tips[key] if len(row["at_tip"]) < 1000 else not mine <= tips[key]):
            problems.append(f"at_tip {len(row['at_tip'])} instead of {len(tips[key])}")
        if row["blob"] not in versions[key]:
            problems.append("blob is no version of this path")
        if problems:
            wrong += 1
            print(row["rule"], row["path"], "; ".join(problems)[:600])
    print(f"{checked} findings checked, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
