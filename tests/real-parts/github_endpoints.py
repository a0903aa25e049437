#!/usr/bin/env python3
"""Writes fixtures/github/endpoints.json anew from GitHub's OpenAPI description.

    npm pack @octokit/openapi@23.0.2 && tar xzf octokit-openapi-*.tgz package/generated/ghec.json
    tests/real-parts/github_endpoints.py package/generated/ghec.json

For every path of connectors/github/src/endpoints.rs: its verbs, whether GitHub Apps may read it,
and the member of the answer that holds the list ("[]": the answer is one, "{}": it is none).
Beside it fixtures/github/examples.json: the example of each answer, as GitHub describes it; and
fixtures/github/openapi.json: what the description says of these paths alone, for Prism.
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


def described_parts(description, node, kept):
    """Copies what a part of the description refers to, and what that refers to."""
    if isinstance(node, list):
        for one in node:
            described_parts(description, one, kept)
    elif isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            _, _, kind, name = target.split("/", 3)
            if name not in kept.setdefault(kind, {}):
                kept[kind][name] = description["components"][kind][name]
                described_parts(description, kept[kind][name], kept)
        for one in node.values():
            described_parts(description, one, kept)


def trimmed(description, wanted):
    """The description of these paths, reading only, without what people read."""
    paths, kept = {}, {}
    for path in wanted:
        entry = description["paths"][path]
        get = {key: entry["get"][key] for key in ("operationId", "parameters", "responses") if key in entry["get"]}
        get["responses"] = {code: json.loads(json.dumps(answer)) for code, answer in get["responses"].items()}
        for answer in get["responses"].values():
            content = answer.get("content", {})
            # Clients ask for the media type of the vendor.
            if "application/json" in content:
                content["application/vnd.github+json"] = content["application/json"]
        paths[path] = {"get": get}
        described_parts(description, get, kept)

    def plain(node):
        if isinstance(node, list):
            return [plain(one) for one in node]
        if isinstance(node, dict):
            return {
                # Examples are kept as they are: schemas ask for the descriptions in them.
                key: one if key in ("example", "examples") else plain(one)
                for key, one in node.items()
                if not (key == "description" and isinstance(one, str))
            }
        return node

    document = {"openapi": "3.0.3", "info": {"title": "GitHub", "version": "1"}, "paths": paths, "components": kept}
    document = plain(document)
    for get in document["paths"].values():
        for answer in get["get"]["responses"].values():
            if "$ref" not in answer:
                answer["description"] = ""
    for answer in document["components"].get("responses", {}).values():
        answer["description"] = ""
    return document


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
    wanted = [path.replace("{name}", RENAMED["{name}"]) for path in sorted(paths)]
    text = trimmed(description, wanted)
    (ROOT / "fixtures/github/openapi.json").write_text(json.dumps(text, sort_keys=True) + "\n")


main()
