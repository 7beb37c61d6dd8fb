#!/usr/bin/env python3
"""snapshot.py [RULES [INSTRUMENTS [YEARS]]] - bench_snapshot on a PostgreSQL of its own: what a snapshot of a large state writes when 1 % of it
changed, how long the engine stands for it, and how long a restart from it takes.

    make bench-programs && build/venv/bin/python tests/bench/snapshot.py

By default a million rules and 5,000 instruments with 25 years of closes: some 3 GB of memory, a minute to build, and 1 GB on disk. Ends with 1 when
a restart has another state than was saved.
"""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
from harness.postgres import Postgres  # noqa: E402

PROGRAM = HERE.parents[1] / "build/release/tests/bench/bench_snapshot"


def main():
    server = Postgres()
    try:
        return subprocess.run([PROGRAM, *sys.argv[1:]], env={**os.environ, "TOCSIN_TEST_DATABASE": server.conninfo()}, check=False).returncode
    finally:
        server.remove()


if __name__ == "__main__":
    sys.exit(main())
