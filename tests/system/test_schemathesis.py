"""Every operation of /openapi.json under schemathesis: no 5xx, no answer that is off the schema, against the running service."""
import pathlib
import subprocess
import sys

import pytest


def test_no_5xx_and_nothing_off_the_schema(service, long):
    tool = pathlib.Path(sys.executable).with_name("schemathesis")
    if not tool.exists():
        pytest.skip("schemathesis is not installed")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance"
    done = subprocess.run([tool, "run", f"{service.url}/openapi.json", "-H", f"Authorization: Bearer {service.key}", "--exclude-path", "/v1/stream", "-c", checks,
                           "-n", "300" if long else "40", "--request-timeout", "20", "--seed", "20261122"], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert service.alive
