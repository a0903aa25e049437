"""Measures the consumer map of GitHub Actions against labels made without it.

usage: consumer_map.py MIRRORS BINARY
  MIRRORS  a folder with a clone of each repository of fixtures/consumer-map/sources.tsv, bare or not,
           as OWNER+NAME or OWNER+NAME/repo, with the named commit in it
  BINARY   target/debug/examples/map (cargo build -p keymuster-workflows --example map)

Labels: fixtures/consumer-map/labels.tsv, one reference a line: the job (repository, file, and the ids of
the jobs that lead to it), the context, and the name in upper case; `*` where only the run knows it, or all
are handed to a workflow that is not among the sources. How they were made stands in the README there.
"""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "consumer-map"
STORES = {"actions.secret": "secrets", "actions.variable": "vars"}


def main(mirrors: str, binary: str) -> int:
    labels = {tuple(line.split("\t")) for line in (HERE / "labels.tsv").read_text().splitlines()}
    with tempfile.TemporaryDirectory() as folder:
        trees = []
        for line in (HERE / "sources.tsv").read_text().splitlines():
            name, commit, _ = line.split("\t")
            store = pathlib.Path(mirrors) / name.replace("/", "+")
            store = store / "repo" if (store / "repo").is_dir() else store
            tree = pathlib.Path(folder) / name.replace("/", "__")
            (tree / ".git").mkdir(parents=True)
            (tree / ".git" / "config").write_text(f'[remote "origin"]\n\turl = https://github.com/{name}\n')
            archive = subprocess.run(
                ["git", "-C", store, "archive", commit, "--", ".github"], check=True, capture_output=True
            )
            subprocess.run(["tar", "x", "-C", tree], input=archive.stdout, check=True)
            trees.append(tree)
        told = subprocess.run([binary, *trees], check=True, capture_output=True, text=True).stdout
    found = set()
    for line in told.splitlines():
        cells = line.split("\t")
        if cells[0] == "use" and ".github/workflows/" in cells[1] and cells[2] in STORES:
            found.add((cells[1].removeprefix("github:"), STORES[cells[2]], cells[3]))
    right = len(found & labels)
    for what, which in (("missed", labels - found), ("wrong", found - labels)):
        for one in sorted(which):
            print(what, *one, sep="\t")
    print(f"{len(labels)} labels, {len(found)} told, {right} right:", end=" ")
    print(f"precision {right / len(found):.4f}, recall {right / len(labels):.4f}")
    return 0 if right >= 0.99 * max(len(found), len(labels)) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
