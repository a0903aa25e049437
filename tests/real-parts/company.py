"""Makes an AWS account as a plan says: plan (JSON) on standard input, what was made on standard
output. Knows nothing of what the account is for.

Two times matter, because a new account has no old keys: what is `early` in the plan is made and
used first, then comes a pause, then all the rest. The moment in the middle is told as `between`.
"""

import json
import sys
import time
from datetime import datetime, timezone

import boto3

ENDPOINT = sys.argv[1]
# Longer than the second that some of the answers are rounded to.
PAUSE = 2.2


def client(service, key=None):
    key = key or {"id": "testing", "secret": "testing"}
    return boto3.client(
        service,
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=key["id"],
        aws_secret_access_key=key["secret"],
    )


iam = client("iam")
made = {}


def tags(of):
    return [{"Key": key, "Value": value} for key, value in of.get("tags", {}).items()]


def document(of):
    return json.dumps(of)


def make_user(user):
    name = user["name"]
    iam.create_user(UserName=name, Tags=tags(user))
    for arn in user.get("attached", []):
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    for policy, text in user.get("inline", {}).items():
        iam.put_user_policy(UserName=name, PolicyName=policy, PolicyDocument=document(text))
    for group in user.get("groups", []):
        iam.add_user_to_group(GroupName=group, UserName=name)
    for number, key in enumerate(user.get("keys", []), 1):
        answer = iam.create_access_key(UserName=name)["AccessKey"]
        made[f"{name}/{number}"] = {"user": name, "id": answer["AccessKeyId"], "secret": answer["SecretAccessKey"]}
        if not key["active"]:
            iam.update_access_key(UserName=name, AccessKeyId=answer["AccessKeyId"], Status="Inactive")


def use(users, when):
    for user in users:
        for number, key in enumerate(user.get("keys", []), 1):
            if key["used"] == when:
                client("sts", made[f"{user['name']}/{number}"]).get_caller_identity()


def make_role(role):
    name = role["name"]
    more = {"PermissionsBoundary": role["boundary"]} if "boundary" in role else {}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(role["trust"]), Tags=tags(role), **more)
    for arn in role.get("attached", []):
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for policy, text in role.get("inline", {}).items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=document(text))
    if role.get("assumed"):
        arn = iam.get_role(RoleName=name)["Role"]["Arn"]
        session = client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        boto3.client(
            "sts",
            endpoint_url=ENDPOINT,
            region_name="us-east-1",
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        ).get_caller_identity()


plan = json.load(sys.stdin)
for policy in plan["policies"]:
    iam.create_policy(PolicyName=policy["name"], PolicyDocument=document(policy["document"]))
for group in plan["groups"]:
    iam.create_group(GroupName=group["name"])
    for arn in group["attached"]:
        iam.attach_group_policy(GroupName=group["name"], PolicyArn=arn)

early = [user for user in plan["users"] if user["early"]]
for user in early:
    make_user(user)
use(early, "early")
between = time.time() + PAUSE / 2
time.sleep(PAUSE)
for user in plan["users"]:
    if not user["early"]:
        make_user(user)
for role in plan["roles"]:
    make_role(role)
use(plan["users"], "late")

moment = datetime.fromtimestamp(between, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
json.dump({"between": moment, "keys": made}, sys.stdout)
