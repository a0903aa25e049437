#!/usr/bin/env python3
"""Writes an account of N access keys and a register of N records, to measure a whole audit.

    estate.py DIR N [SEED]
    cd DIR && /usr/bin/time -v keymuster audit --now 2026-06-01T00:00:00Z

96 of 100 records are those of a key, by its id, its user's ARN or user and account; the others are
ghosts, and as many keys are recorded nowhere. Some records are revoked, incomplete, or of an owner
who left. The same seed writes the same bytes.
"""

import csv
import json
import random
import sys
from pathlib import Path


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    (folder / "aws").mkdir(parents=True)
    account = "123456789012"
    people = [f"p{n}@acme.example" for n in range(max(10, min(count // 50, 20_000)))]
    with open(folder / "people.csv", "w", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(["id", "mail", "status", "manager", "team"])
        for n, mail in enumerate(people):
            status = "ended" if n % 20 == 19 else "active"
            rows.writerow([f"p{n}", mail, status, f"p{n // 10}", f"team {n % 97}"])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    keys = open(folder / "aws" / "keys.json", "w")
    users = open(folder / "aws" / "authorization-details.json", "w")
    register = open(folder / "register.csv", "w", newline="")
    rows = csv.writer(register)
    rows.writerow(
        "Record ID,Name,Access key ID,ARN,Account ID,Application,Environment,Owner,Purpose,Approved by,"
        "Approved at,Scope,Status,Created,Expires,Last rotated,Last reviewed,Revocation path,"
        "Recovery procedure,Risk tier".split(",")
    )
    keys.write('{"AccessKeyMetadata": [')
    users.write('{"GroupDetailList": [], "RoleDetailList": [], "Policies": [], "UserDetailList": [')
    for n in range(count):
        name = f"svc-{n % 4001}-{chance.choice(['api', 'web', 'batch', 'sync'])}-{n}"
        arn = f"arn:aws:iam::{account}:user/{name}"
        key = "AK" + "IA" + "".join(chance.choices(alphabet, k=16))
        comma = "," if n else ""
        made = f"202{n % 5 + 1}-0{n % 9 + 1}-1{n % 9}T00:00:00Z"
        json_key = {"UserName": name, "AccessKeyId": key, "Status": "Active", "CreateDate": made}
        keys.write(comma + json.dumps(json_key))
        user = {"UserName": name, "Path": "/", "UserId": f"u{n}", "Arn": arn, "CreateDate": made}
        user["Tags"] = [{"Key": "application", "Value": f"app {n % 4001}"}]
        users.write(comma + json.dumps(user))
        way = n % 100
        ghost = way >= 96
        given = "" if way >= 60 else key
        if ghost:
            given = "AK" + "IA" + "".join(chance.choices(alphabet, k=16))
        rows.writerow(
            [
                f"R-{n}",
                f"ghost {n}" if ghost else name,
                given,
                arn if 60 <= way < 80 else "",
                account,
                f"app {n % 4001}",
                ["prod", "staging", "test", "dev"][n % 4],
                "" if n % 211 == 0 else people[n % len(people)],
                "tbd" if n % 307 == 0 else f"serves customers of app {n % 4001}",
                people[(n * 7) % len(people)],
                "2026-01-15",
                "s3:GetObject",
                "revoked" if n % 503 == 0 else "active",
                made[:10],
                "2026-12-31" if n % 3 else "",
                "2026-03-01",
                "2026-02-01",
                "runbook 7",
                "runbook 8",
                f"T{n % 4}",
            ]
        )
    keys.write("]}\n")
    users.write("]}\n")
    for out in (keys, users, register):
        out.close()
    (folder / "keymuster.toml").write_text(
        'estate = "bench"\n[state]\ndir = "state"\n'
        '[[inventory]]\nname = "register"\nfile = "register.csv"\n'
        '[[people]]\nfile = "people.csv"\n'
        '[[connector]]\ntype = "aws-iam"\nexports = ["aws/*.json"]\n'
        '[report]\ndir = "out"\nformats = ["json", "csv"]\n'
    )


main()
