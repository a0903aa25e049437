#!/usr/bin/env python3
"""Writes N more rules, to measure what rules cost: tests/bench/many_rules.py 2000 > /tmp/many.toml

The mix is that of real catalogues: half are values without a format that are known by a word before
them, three in ten have a prefix of their own, one in five hangs on an anchor with a common word and
needs a word nearby; one in ten looks far (up to 3,000 bytes, several lines). Words and prefixes are
made up, from the syllables of brand names, so that they are as frequent in source code as those are.
"""

import random
import sys

SYLLABLES = "ac al ban bit block box cloud code con data dev di do fire flow form gate graph hub in io kit lab link log map meta mo net no open pay pin post pro pulse push rank rec re run sa send ship sign sky soft spark stack sync ta tag team tech ten ti track tri uni va ver via wave web work zen".split()
ANCHORS = ["token", "secret", "password", "credential", "api_key", "apikey", "access_key", "authorization"]
CLASSES = [("[0-9a-f]", "hex"), ("[0-9A-Za-z]", "alnum"), ("[0-9A-Za-z_-]", "base64url")]


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    draw = random.Random(20261126)
    names = set()
    while len(names) < count:
        names.add("".join(draw.sample(SYLLABLES, draw.choice((2, 3, 3)))))
    for number, name in enumerate(sorted(names)):
        pattern, shape = draw.choice(CLASSES)
        length = draw.choice((20, 24, 32, 32, 32, 36, 40, 40, 48, 64))
        value = f"(?<secret>{pattern}{{{length}}})"
        lane = number % 10
        if lane < 5:
            keys = f'words = ["{name}"]'
            text = value
            hit = f"{name}_key = '{{{shape}:{length}}}'"
        elif lane < 8:
            prefix = f"{name[:5]}_{draw.choice(('live', 'sk', 'pat', 'key'))}_"
            keys = f'prefix = ["{prefix}"]'
            text = rf"\b(?<secret>{prefix}{pattern}{{{length}}})\b"
            hit = f"key = {prefix}{{{shape}:{length}}}"
        elif lane < 9:
            keys = f'anchors = ["{draw.choice(ANCHORS)}"]\nwords = ["{name}"]'
            anchor = keys.split('"')[1]
            text = rf"(?i:{anchor})[^\n]{{0,40}}?[=:]\s{{0,4}}['\"]?{value}\b"
            hit = f"{name} {anchor} = '{{{shape}:{length}}}'"
        else:
            keys = f'anchors = ["{draw.choice(ANCHORS)}"]\nwords = ["{name}"]'
            anchor = keys.split('"')[1]
            text = rf"(?i:{anchor})(?s:.{{0,2900}}?)\b{value}\b"
            hit = f"{name} {anchor}\n\n\n'{{{shape}:{length}}}'".replace("\n", "\\n")
        print(f'[[rule]]\nid = "many.{name}"\ntitle = "Made up: {name}"\nkind = "generic.secret"\n{keys}')
        print(f"pattern = '''{text}'''\nentropy = 2.5\nconfidence = \"low\"\nwhy = \"Nothing.\"\nhit = [\"{hit}\"]\n")


if __name__ == "__main__":
    main()
