#!/usr/bin/env python3
"""Runs kingfisher and keymuster in alternation on git repositories, and prints medians.

    cargo build --release
    tests/bench/compare.py [--runs N] [--turbo] REPO…

Fetches kingfisher (`kingfisher-bin`, PyPI) into target/bench. Both scan the full history with two
jobs and write their findings to a file. User CPU, system CPU and wall time come from the operating
system's accounting of the finished process; memory is the peak of RssAnon (mapped packs do not
count), sampled alike for both. Needs Python 3, its venv module, and Linux.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import venv
from pathlib import Path

KINGFISHER = "kingfisher-bin==2.14.0"
ROOT = Path(__file__).resolve().parents[2]


def kingfisher():
    folder = ROOT / "target/bench/venv"
    program = folder / "bin/kingfisher"
    if not program.exists():
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", KINGFISHER], check=True)
    return program


def anonymous(pid):
    """RssAnon in bytes, of the process and its children."""
    total = 0
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                total += int(line.split()[1]) * 1024
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += anonymous(child)
    except (OSError, ValueError):
        pass
    return total


def run(command):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            break
        peak = max(peak, anonymous(process.pid))
        time.sleep(0.02)
    process.returncode = os.waitstatus_to_exitcode(status)
    return {"user": usage.ru_utime, "system": usage.ru_stime, "wall": time.monotonic() - began, "memory": peak / 1e6, "code": process.returncode}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--turbo", action="store_true", help="kingfisher --turbo as well")
    parser.add_argument("repositories", nargs="+")
    args = parser.parse_args()
    keymuster = ROOT / "target/release/keymuster"
    if not keymuster.exists():
        raise SystemExit("build first: cargo build --release")
    peer = kingfisher()
    print("| repository | program | user s | system s | wall s | peak RssAnon MB | findings |")
    print("|---|---|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for repository in args.repositories:
            peers = [peer, "scan", "--no-validate", "--no-update-check", "-j", "2", "--format", "jsonl", "--output"]
            programs = {"kingfisher": peers, "keymuster": [keymuster, "scan", "-q", "-j", "2", "--format", "jsonl", "-o"]}
            if args.turbo:
                programs["kingfisher --turbo"] = [peer, "scan", "--turbo", *peers[2:]]
            figures = {name: [] for name in programs}
            findings = {}
            for _ in range(args.runs):
                for name, command in programs.items():
                    output = Path(folder) / "findings.jsonl"
                    output.unlink(missing_ok=True)
                    figures[name].append(run([*command, output, repository]))
                    findings[name] = sum(1 for _ in open(output)) if output.exists() else 0
            medians = {name: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for name, runs in figures.items()}
            for name, median in medians.items():
                print(f"| {repository} | {name} | {median['user']:.1f} | {median['system']:.1f} | {median['wall']:.1f} | {median['memory']:.0f} | {findings[name]} |")
            for name in medians:
                if name != "keymuster":
                    print(f"| {repository} | {name} / keymuster | {medians[name]['user'] / medians['keymuster']['user']:.1f} x | | {medians[name]['wall'] / medians['keymuster']['wall']:.1f} x | {medians[name]['memory'] / max(medians['keymuster']['memory'], 1):.1f} x | |")


if __name__ == "__main__":
    main()
