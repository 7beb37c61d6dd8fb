#!/usr/bin/env python3
"""all.py: what `make check` looks at, each look a line; the last line sums them up."""
import argparse
import concurrent.futures
import os
import shlex
import subprocess
import sys

import files

sys.path.insert(0, str(files.TOP / "tests"))
import tally  # noqa: E402

WARN = "-std=c17 -D_GNU_SOURCE -I. -O2 -Wall -Wextra -Wformat=2 -Wconversion -Werror -fsyntax-only".split()


def run(command):
    done = subprocess.run(command, cwd=files.TOP, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode == 0, done.stdout


def clang_warnings():
    """clang looks at every file (gcc's warnings are errors in the build itself)."""
    written = [n for n in files.project_files() if n.endswith(".c")]
    sources, tests = [n for n in written if not n.startswith("tests/")], [n for n in written if n.startswith("tests/")]
    flags = subprocess.run("pkg-config --cflags rdkafka libpq libmicrohttpd jansson libcurl libcrypto".split(),
                           capture_output=True, text=True, check=True).stdout
    jobs = [["clang", *WARN, *shlex.split(flags), s] for s in sources]
    jobs += [["clang", *WARN, "-Wno-conversion", *shlex.split(flags), s] for s in tests if "cmocka" not in s]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(run, jobs))
    return all(ok for ok, _ in results) and bool(sources), "".join(text for ok, text in results if not ok)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    build = parser.parse_args().build
    program = f"{build}/release/tocsin"
    python = [sys.executable, "-B"]
    looks = [
        ("warnings of clang", clang_warnings),
        ("C as make format writes it", lambda: run([*python, "tests/check/formatted.py"])),
        ("include arrows", lambda: run([*python, "tests/check/includes.py"])),
        ("no test that nobody runs", lambda: run([*python, "tests/check/unrun.py"])),
        ("make targets that pages and scripts name", lambda: run([*python, "tests/check/targets.py"])),
        ("shape of the C code, in numbers", lambda: run([*python, "tests/check/shape.py"])),
        ("the looks' own check", lambda: run([*python, "tests/check/selftest.py"])),
        ("a README.md a folder", lambda: run([*python, "tests/check/readmes.py"])),
        ("no hosts, machine folders, secrets", lambda: run([*python, "tests/check/strays.py"])),
        ("hardening of the program", lambda: run([*python, "tests/check/hardening.py", program])),
        ("HTML's names are the standard's", lambda: run([*python, "core/entities.py", "--check"])),
        ("examples of /openapi.json", lambda: run([*python, "tests/check/openapi.py", program])),
        ("rules of docker/prometheus", lambda: run(["bash", "tests/check/prometheus.sh"])),
        ("generated pages current", lambda: run(["bash", "tests/check/generated.sh", program])),
    ]
    passed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (what, _), (ok, text) in zip(looks, pool.map(lambda one: one[1](), looks)):
            passed += ok
            print(f"{'ok    ' if ok else 'FAILED'} {what}", flush=True)
            if text.strip():
                print("       " + text.strip().replace("\n", "\n       "), flush=True)
    return tally.close(passed, len(looks) - passed)


if __name__ == "__main__":
    sys.exit(main())
