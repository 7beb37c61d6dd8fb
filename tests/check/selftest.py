#!/usr/bin/env python3
"""selftest.py: the include check finds what it is there to find."""
import sys

import includes

CASES = [                                # folder, header, quoted, is it a fault
    ("core", "core/buf.h", True, False),
    ("core", "ingest/record.h", True, True),
    ("core", "buf.h", True, True),
    ("analytics", "ingest/record.h", True, False),
    ("analytics", "ingest/decode.h", True, True),
    ("alerts", "analytics/engine.h", True, True),
    ("store", "alerts/alert.h", True, False),
    ("api", "alerts/rules.h", True, True),
    ("app", "api/api.h", True, False),
    ("store", "libpq-fe.h", False, False),
    ("api", "libpq-fe.h", False, True),
    ("alerts", "curl/curl.h", False, False),
    ("core", "openssl/evp.h", False, False),
    ("store", "openssl/evp.h", False, True),
    ("app", "jansson.h", False, True),
    ("core", "stdio.h", False, False),
    ("core", "sys/types.h", False, False),
    ("core", "unheard_of.h", False, True),
]

wrong = [case for case in CASES if bool(list(includes.faults(*case[:3]))) != case[3]]
for case in wrong:
    print("misjudged:", *case)
sys.exit(1 if wrong else 0)
