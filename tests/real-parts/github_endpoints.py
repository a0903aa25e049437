#!/usr/bin/env python3
"""Writes fixtures/github/endpoints.json anew from GitHub's OpenAPI description.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-*.tgz package/generated/ghec.json
    tests/real-parts/github_endpoints.py package/generated/ghec.json

For every path of connectors/github/src/endpoints.rs: its verbs, whether GitHub Apps may read it,
and the member of the answer that holds the list ("[]": the answer is one, "{}": it is none).
Beside it fixtures/github/examples.json: the example of each answer, as GitHub describes it.
"""

import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
RENAMED = {"{name}": "{secret_name}"}


def resolve(description, schema):
    while "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def main():
    description = json.loads(pathlib.Path(sys.argv[1]).read_text())
    source = (ROOT / "connectors/github/src/endpoints.rs").read_text().split("#[cfg(test)]")[0]
    paths, examples = {}, {}
    for path in sorted(set(re.findall(r'"(/[^"]*)"', source)) - {"/graphql"}):
        described = path
        for ours, theirs in RENAMED.items():
            described = described.replace(ours, theirs)
        entry = description["paths"][described]
        get = entry["get"]
        answer = get["responses"]["200"]["content"]["application/json"]["schema"]
        schema = resolve(description, answer)
        lists = [
            name
            for name, member in schema.get("properties", {}).items()
            if resolve(description, member).get("type") == "array"
        ]
        is_page = "total_count" in schema.get("properties", {})
        items = "[]" if schema.get("type") == "array" else lists[0] if is_page and lists else "{}"
        example = get["responses"]["200"]["content"]["application/json"].get("examples", {})
        for name in example.values():
            while "$ref" in name:
                name = description["components"]["examples"][name["$ref"].rsplit("/", 1)[1]]
            examples.setdefault(path, name["value"])
        paths[path] = {
            "apps": get["x-github"]["enabledForGitHubApps"],
            "items": items,
            "verbs": sorted(verb for verb in entry if verb in ("get", "put", "post", "patch", "delete")),
        }
    out = ROOT / "fixtures/github/endpoints.json"
    text = {"source": "npm @octokit/openapi 23.0.2 (MIT), ghec", "paths": paths}
    out.write_text(json.dumps(text, indent=1, sort_keys=True) + "\n")
    text = {"source": text["source"], "answers": examples}
    (ROOT / "fixtures/github/examples.json").write_text(json.dumps(text, sort_keys=True) + "\n")


main()
