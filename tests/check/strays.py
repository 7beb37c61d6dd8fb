#!/usr/bin/env python3
"""strays.py: nothing in the project names a package registry or a machine's folder, or holds a secret."""
import re
import sys

import files

# Each as a class, so that this file does not find itself.
EVERYWHERE = {
    "package registry's host": re.compile(
        r"(pypi|npmjs|crates|pythonhosted)[.](org|com|io)\b|registry[.]npmjs|maven[.]apache[.]org|repo1[.]maven|proxy[.]golang"
        r"|(deb|security|ftp\w*|snapshot)([.]\w+)?[.]debian[.]org", re.I),
    "machine's folder": re.compile(r"(?<![\w./$}])/(work|root|home/\w+)/(?!\.\.\.)[\w.]"),
    "private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KE[Y]"),
    "cloud key": re.compile(r"\bAKI[A][0-9A-Z]{16}\b"),
    "token": re.compile(r"\b(gh[pousr]_[0-9A-Za-z]{36}|xox[abp]-[0-9A-Za-z-]{20,}|npm_[0-9A-Za-z]{36})\b"),
}
# Tests may hold keys made up for them.
OUTSIDE_TESTS = {
    "API key": re.compile(r"\bmk_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}\b"),
    # except the example that the Standard Webhooks specification itself prints
    "webhook secret": re.compile(r"\bwhsec_(?!MfKQ9r8G)[A-Za-z0-9+/]{32,}={0,2}"),
}


def main():
    bad = 0
    for name in files.project_files():
        text = files.text_of(name)
        if text is None:
            continue
        rules = EVERYWHERE if name.startswith("tests/") else {**EVERYWHERE, **OUTSIDE_TESTS}
        for what, pattern in rules.items():
            for found in pattern.finditer(text):
                shown = found[0] if what in ("package registry's host", "machine's folder") else found[0][:10] + "..."
                print(f"{name}:{text.count(chr(10), 0, found.start()) + 1}: {what}: {shown}")
                bad += 1
    return bad


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
