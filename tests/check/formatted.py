#!/usr/bin/env python3
"""formatted.py [--write]: is every C file as clang-format writes it? The version is pinned in tests/requirements.txt, because
each release of it lays code out a little differently; it comes from PyPI into build/venv."""
import os
import pathlib
import subprocess
import sys

import files

PROGRAM = pathlib.Path(sys.executable).parent / "clang-format"


def main():
    sources = [n for n in files.project_files() if n.endswith((".c", ".h"))]
    if not sources or not PROGRAM.exists():
        print(f"nothing to look at, or no {PROGRAM}: run make venv")
        return 1
    how = ["-i"] if sys.argv[1:] == ["--write"] else ["--dry-run", "-Werror"]
    done = subprocess.run([PROGRAM, *how, *sources], cwd=files.TOP, capture_output=True, text=True, check=False)
    wrong = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
    if wrong or done.returncode:
        print("run `make format`:", *wrong or [done.stderr])
    return 1 if wrong or done.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
