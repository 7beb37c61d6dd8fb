#!/usr/bin/env python3
"""instructions.py [--build FOLDER] - instructions a tick of the drain job's engine step (bench_step.c under valgrind's callgrind), held against
instructions.json: more than above_pct (15 %) above what is recorded for this compiler and libc fails.

Instructions, because they are the same on every run and every machine of a kind; a time is not. They differ between compilers and libcs, so
another one than the recorded is skipped. One test in TAP, for run.py.

    make bench-programs && tests/bench/instructions.py"""
import argparse
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def compiler(program):
    """"gcc 12", as the program itself says: .comment holds who compiled it."""
    said = subprocess.run(["readelf", "-p", ".comment", program], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(GCC|clang)\b[^\n]*?(\d+)\.\d+", said)
    return f"{'gcc' if found[1] == 'GCC' else 'clang'} {found[2]}" if found else "an unknown compiler"


def instructions(program, ticks):
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder}/out", program, str(ticks)],
                              capture_output=True, text=True, check=False)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert done.returncode == 0 and found and int(found[1]), done.stdout + done.stderr[-2000:]
    return int(found[1]) / ticks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/release", help="the flavour's folder")
    program = pathlib.Path(parser.parse_args().build) / "tests/bench/bench_step"
    recorded = json.loads((HERE / "instructions.json").read_text(encoding="ascii"))
    here = {"machine": platform.machine(), "compiler": compiler(program), "libc": " ".join(platform.libc_ver())}
    known = next((r for r in recorded["recorded"] if all(r[k] == v for k, v in here.items())), None)
    print("1..1")
    if not known or not shutil.which("valgrind"):
        why = "no valgrind" if known else "nothing is recorded for " + ", ".join(here.values())
        print(f"ok 1 # SKIP instructions a tick: {why}")
        return 0
    got, limit = instructions(program, recorded["ticks"]), known["instructions_a_tick"] * (1 + recorded["above_pct"] / 100)
    print(f"{'ok' if got <= limit else 'not ok'} 1 - instructions a tick of the drain job: {got:.0f}, recorded {known['instructions_a_tick']:.0f} with "
          f"{here['compiler']} and {here['libc']}, at most {limit:.0f}")
    return got > limit


if __name__ == "__main__":
    sys.exit(main())
