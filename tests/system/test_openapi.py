"""The description of the API as others read it: a foreign linter has nothing to say, and the service serves what the program prints."""
import json
import pathlib
import subprocess

import pytest
import requests

from harness.service import command

LINT = pathlib.Path(__file__).with_name("lint_openapi.mjs")


@pytest.fixture(scope="module")
def document():
    return subprocess.run(command("--openapi"), capture_output=True, text=True, timeout=60, check=True).stdout


def lint(node, folder, document):
    file = folder / "openapi.json"
    file.write_text(json.dumps(document) if isinstance(document, dict) else document)
    return node.run(LINT, file)


def test_a_foreign_linter_has_nothing_to_say(document, node, tmp_path):
    done = lint(node, tmp_path, document)
    assert (done.returncode, done.stdout) == (0, "0 problems\n"), done.stdout + done.stderr


def test_the_linter_does_look(document, node, tmp_path):
    """A field that the schema does not have, a parameter without a word, a shape nobody uses: each is found."""
    spoiled = json.loads(document)
    spoiled["paths"]["/v1/status"]["get"]["responses"]["200"]["content"]["application/json"]["example"]["epoch"] = 1
    del spoiled["paths"]["/v1/rules/{id}"]["get"]["parameters"][0]["description"]
    spoiled["components"]["schemas"]["Nobodys"] = {"type": "object"}
    done = lint(node, tmp_path, spoiled)
    found = {line.split(" ")[0] for line in done.stdout.splitlines()}
    assert done.returncode == 1 and {"no-invalid-media-type-examples", "parameter-description", "no-unused-components"} <= found, done.stdout


def test_the_service_says_the_same(document, service):
    assert requests.get(f"{service.url}/openapi.json", timeout=30).text + "\n" == document
