#!/usr/bin/env python3
"""Makes src/engine/judge/trigrams.txt: how natural three letters in a row are.

  trigrams.py FOLDER... > src/engine/judge/trigrams.txt

Reads the text files of the folders (clean source trees of public projects, documentation),
counts each word once by the root of how often it stands there, and writes for every pair of
letters (rows, `^` for the beginning of a word first) the 27 following letters (`$` for its
end first) as one printable character: '0' is the most likely, each step halves the chance.
"""
import collections, math, pathlib, re, sys

words = collections.Counter()
for folder in sys.argv[1:]:
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if path.is_file() and ".git" not in path.parts and path.stat().st_size < 400_000:
            data = path.read_bytes()
            if b"\0" not in data[:1000]:
                found = re.findall(r"[A-Z]?[a-z]{2,24}", data.decode("utf-8", "replace"))
                words.update(word.lower() for word in found)
counts = collections.defaultdict(float)
for word, n in words.items():
    if n >= 8:
        text = "^^" + word + "$"
        for i in range(len(text) - 2):
            counts[text[i : i + 3]] += math.sqrt(n)
letters = "abcdefghijklmnopqrstuvwxyz"
for a in "^" + letters:
    for b in "^" + letters:
        total = sum(counts[a + b + c] for c in "$" + letters)
        row = [-math.log2((counts[a + b + c] + 0.25) / (total + 0.25 * 27)) for c in "$" + letters]
        print("".join(chr(48 + min(20, round(cost))) for cost in row))
