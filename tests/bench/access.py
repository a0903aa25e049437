#!/usr/bin/env python3
"""Time of `keymuster access` on generated accounts.

usage: access.py KEYMUSTER [ROLES …]      (default: 100 1000 5000 50000)

Up to 5,000 roles lie in one account, more in accounts of 500. A tenth of the documents is shared, the rest is of its own: single
resources, prefixes, wildcards, conditions, complements. A role in fifty trusts a service and a
role in two hundred is an administrator; chains of roles lead there. Prints user and system time,
the greatest memory and the number of principals that reach an administrator. The same seed makes
the same account.
"""
import json
import os
import random
import resource
import subprocess
import sys
import tempfile

SERVICES = ["lambda", "ec2", "ecs-tasks", "glue", "codebuild", "states"]
ACTIONS = ["s3:GetObject", "s3:Put*", "ec2:Describe*", "logs:*", "dynamodb:Query", "sqs:SendMessage",
           "kms:Decrypt", "lambda:InvokeFunction", "lambda:UpdateFunctionCode", "sts:AssumeRole",
           "iam:PassRole", "glue:CreateJob", "glue:StartJobRun", "codebuild:StartBuild",
           "ssm:StartSession", "iam:Get*", "iam:List*", "cloudformation:*", "sns:Publish", "ecr:*"]


def statement(rng, account, number):
    actions = rng.sample(ACTIONS, rng.randint(2, 8))
    resource = rng.choice(["*", f"arn:aws:s3:::acme-{number}/*", f"arn:aws:iam::{account}:role/team-{number % 97}-*",
                           f"arn:aws:lambda:*:{account}:function:app-{number}-*"])
    one = {"Effect": "Allow", "Action": actions, "Resource": resource}
    if rng.random() < 0.1:
        one["Condition"] = {"StringEquals": {"aws:PrincipalTag/team": str(number % 7)}}
    if rng.random() < 0.05:
        del one["Action"]
        one["NotAction"] = ["iam:*", "organizations:*", "account:*"]
    return one


def account_of(account, roles, rng):
    shared = [{"Version": "2012-10-17", "Statement": [statement(rng, account, 0)]} for _ in range(max(1, roles // 10))]
    details = []
    for number in range(roles):
        name = f"team-{number % 97}-role-{number}"
        if number % 50 == 0:
            principal = {"Service": f"{SERVICES[number // 50 % len(SERVICES)]}.amazonaws.com"}
        elif number % 3 == 0:
            principal = {"AWS": f"arn:aws:iam::{account}:root"}
        else:
            before = number - 1
            principal = {"AWS": f"arn:aws:iam::{account}:role/team-{before % 97}-role-{before}"}
        documents = [{"PolicyName": "own", "PolicyDocument": {
            "Version": "2012-10-17", "Statement": [statement(rng, account, number) for _ in range(3)]}},
            {"PolicyName": "shared", "PolicyDocument": rng.choice(shared)}]
        if number % 200 == 7:
            documents.append({"PolicyName": "all", "PolicyDocument": {
                "Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}})
        details.append({
            "Path": "/", "RoleName": name, "RoleId": f"r{number}", "Arn": f"arn:aws:iam::{account}:role/{name}",
            "CreateDate": "2024-03-01T00:00:00+00:00",
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
                {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]},
            "InstanceProfileList": [], "RolePolicyList": documents, "AttachedManagedPolicies": [],
            "Tags": [{"Key": "team", "Value": str(number % 7)}], "RoleLastUsed": {}})
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": details, "Policies": []}


def main():
    binary = sys.argv[1]
    for roles in [int(text) for text in sys.argv[2:]] or [100, 1000, 5000, 50000]:
        rng = random.Random(7)
        with tempfile.TemporaryDirectory() as folder:
            each = roles if roles <= 5000 else 500
            for number in range(0, roles, each):
                account = f"{100000000000 + number // each}"
                with open(os.path.join(folder, f"authz-{account}.json"), "w", encoding="utf-8") as out:
                    json.dump(account_of(account, min(each, roles - number), rng), out)
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run = subprocess.run([binary, "access", folder, "--format", "jsonl"], capture_output=True, check=False)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if run.returncode not in (0, 3):
                sys.exit(run.stderr.decode(errors="replace")[-500:])
            lines = [json.loads(line) for line in run.stdout.splitlines()]
            cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
            reach = sum(line["reaches_admin"] for line in lines)
            print(f"{roles:6d} roles: {cpu:6.2f} CPU s, {after.ru_maxrss // 1024} MB, "
                  f"{reach} of {len(lines)} reach an administrator", flush=True)


if __name__ == "__main__":
    main()
