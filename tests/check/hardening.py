#!/usr/bin/env python3
"""hardening.py PROGRAM: the release program has what the hardening flags promise (readelf says so)."""
import re
import subprocess
import sys


def readelf(*args):
    return subprocess.run(["readelf", "-W", *args], capture_output=True, text=True, check=True).stdout


def main(program):
    header, segments = readelf("-h", program), readelf("-l", program)
    dynamic, symbols = readelf("-d", program), readelf("--dyn-syms", program)
    stack = re.search(r"GNU_STACK.*?(\s[RWE]{2,3})\s", segments)
    want = {
        "position independent (PIE)": "DYN (" in header,
        "read-only relocations (RELRO)": "GNU_RELRO" in segments,
        "bound at start (NOW)": bool(re.search(r"FLAGS_1.*NOW|BIND_NOW", dynamic)),
        "stack not executable": bool(stack) and "E" not in stack[1],
        "stack protector": "__stack_chk_fail" in symbols,
        "fortified libc calls": bool(re.search(r"__\w+_chk@", symbols)),
        "no path to look for libraries (RPATH)": not re.search(r"\((RPATH|RUNPATH)\)", dynamic),
    }
    bad = [what for what, holds in want.items() if not holds]
    for what in bad:
        print(f"{program}: not so: {what}")
    return len(bad)


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1]) else 0)
