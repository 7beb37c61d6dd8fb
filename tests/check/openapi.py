#!/usr/bin/env python3
"""openapi.py PROGRAM: every example in the document that `PROGRAM --openapi` prints is what its schema says, to the letter.

Bodies, parameters, problems: all. Each body's example is then spoiled, and must be refused: so a schema that takes anything is found too."""
import json
import re
import subprocess
import sys
import uuid

import jsonschema

# as core/when.h writes it: UTC, and no fraction, or 3, 6 or 9 digits that are not all zero at their end
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6}|\.\d{9})?Z")
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def is_time(text):
    return not isinstance(text, str) or bool(TIME.fullmatch(text) and not text.endswith("000Z"))


@FORMATS.checks("uuid", raises=ValueError)
def is_uuid(text):
    return not isinstance(text, str) or str(uuid.UUID(text)) == text


def plain(schema):
    """OpenAPI 3.0's schema as JSON Schema: `nullable` is a type there."""
    if isinstance(schema, list):
        return [plain(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: plain(v) for k, v in schema.items() if k != "nullable"}
    if schema.get("nullable") is True:
        out["type"] = [schema["type"], "null"]
    return out


def examples(document):
    """(where, schema, example, it is a body) of everything that has an example."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method.upper()} {path}"
            for parameter in operation["parameters"]:
                yield f"{where} {parameter['name']}", parameter["schema"], parameter.get("example"), False
            bodies = [("request", operation.get("requestBody", {}))] + list(operation["responses"].items())
            for status, body in bodies:
                for media in body.get("content", {}).values():
                    if "$ref" in media["schema"] or "example" in media:
                        yield f"{where} {status}", media["schema"], media.get("example"), "$ref" in media["schema"]


def faults(document):
    schemas = plain(document["components"]["schemas"])

    def complaint(schema, example):
        validator = jsonschema.Draft202012Validator({**plain(schema), "components": {"schemas": schemas}}, format_checker=FORMATS)
        return next((f"{e.json_path}: {e.message}" for e in validator.iter_errors(example)), None)

    for where, schema, example, body in examples(document):
        if example is None:
            yield f"{where}: no example"
            continue
        wrong = complaint(schema, example)
        if wrong:
            yield f"{where}: {wrong}"
        if not body:
            continue
        first = list(example)[0]
        required = first in schemas[schema["$ref"].split("/")[-1]].get("required", [] if where.startswith("PATCH") else [first])
        for spoiled, how in (({k: v for k, v in example.items() if k != first}, "lacks its first field"), ({**example, "unheard_of": 1}, "has a field more")):
            if (required or "more" in how) and not complaint(schema, spoiled):
                yield f"{where}: the schema takes an example that {how}"


def main():
    program = sys.argv[1]
    text = subprocess.run([program, "--openapi"], capture_output=True, text=True, check=True).stdout
    document = json.loads(text)
    found = sorted(set(faults(document)))
    if text != json.dumps(document, separators=(",", ":"), ensure_ascii=False) + "\n":
        found.append("the document has blanks between its tokens")
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
