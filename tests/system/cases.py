"""cases.py - the cases from the field in TOCSIN_SHARED (default ../shared beside the repository). Nothing of them is copied here."""
import json

import pytest

from sp500 import SHARED

CASES = SHARED / "cases"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"no cases at {CASES} (set TOCSIN_SHARED)")


def lines(name):
    """The messages of an NDJSON file; remarks begin with #."""
    text = (CASES / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.strip() and not line.startswith("#")]
