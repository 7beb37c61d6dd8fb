#!/usr/bin/env python3
"""run.py STAGE... - runs built tests, a line a program, and sums everything up in the last line.

    unit:FLAVOUR    the cmocka programs of tests/unit
    corpus:FLAVOUR  every file of tests/fuzz/corpus/NAME through tests/fuzz/fuzz_NAME.c, as a plain test
    bench:FLAVOUR   the benches with a verdict
    system:FLAVOUR  pytest over tests/system with build/FLAVOUR/tocsin, a worker a core (--pytest '-n 0': in one process, as for --pdb)
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time
import xml.etree.ElementTree

import tally

TOP = pathlib.Path(__file__).resolve().parent.parent
# A worker a core, each with a Kafka and a PostgreSQL of its own; a file stays in one of them (conftest.py says in which order).
WORKERS = max(1, min(4, os.cpu_count() or 1))
PYTEST = ["-c", "tests/system/pytest.ini", "--rootdir=tests/system", "-n", str(WORKERS), "--dist=loadfile", "--no-loadscope-reorder"]
LONGEST = ["test_source", "test_window", "test_writer", "test_step"]      # of the unit programs: begun first, so that no core is left with one at the end
UNIT_LIMIT_S, CORPUS_LIMIT_S, SYSTEM_LIMIT_S = 600, 300, 2400
SHARED = {"TOCSIN_SHARED": str(TOP.parent / "shared")} if (TOP.parent / "shared").is_dir() else {}    # data that is not ours to ship
ENV = {
    **SHARED,
    **os.environ,
    "CMOCKA_MESSAGE_OUTPUT": "TAP",
    "ASAN_OPTIONS": "detect_leaks=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"exitcode=66:second_deadlock_stack=1:suppressions={TOP}/tests/tsan.supp",
}


def launch(flavour, command, limit):
    """(exit code, output); the exit code of one that took too long is None."""
    plain = ["setarch", os.uname().machine, "-R"] if flavour == "tsan" else []    # gcc 12's TSan needs its address space as it knows it
    try:
        done = subprocess.run([*plain, *map(str, command)], cwd=TOP, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=limit, check=False)
        return done.returncode, done.stdout.decode(errors="replace")
    except FileNotFoundError as e:
        return None, f"not built: {e.filename}"
    except subprocess.TimeoutExpired as e:
        return None, (e.stdout or b"").decode(errors="replace") + f"\nmore than {limit} s"


def tap(command, flavour):
    """(passed, failed, skipped, output) of a program that speaks TAP, as those of cmocka do."""
    code, text = launch(flavour, command, UNIT_LIMIT_S)
    skip = r" # SKIP"                                    # cmocka 1.1.5 says "not ok 3 # SKIP name", later ones "ok"
    skipped = len(re.findall(rf"^(?:not )?ok \d+.*{skip}", text, re.M))
    passed = len(re.findall(rf"^ok \d+(?!.*{skip})", text, re.M))
    failed = len(re.findall(rf"^not ok \d+(?!.*{skip})", text, re.M))
    if not failed and (code != 0 or passed + skipped == 0):
        failed = 1                                       # died outside a test: sanitizer, assertion, signal, time
    return passed, failed, skipped, text


def unit(program, flavour):
    return tap([program], flavour)


def corpus(program, flavour):
    cases = TOP / "tests/fuzz/corpus" / program.name.removeprefix("fuzz_")
    code, text = launch(flavour, [program, *([cases] if cases.is_dir() else [])], CORPUS_LIMIT_S)
    said = re.search(r"^(\d+) inputs", text, re.M)
    ok = code == 0 and said
    return (int(said[1]) if ok else 0), (0 if ok else 1), 0, text


def programs(build, flavour, kind):
    folder, pattern = ("tests/unit", "test_*.c") if kind == "unit" else ("tests/fuzz", "fuzz_*.c")
    return [build / flavour / p.relative_to(TOP).with_suffix("") for p in sorted((TOP / folder).rglob(pattern))]


def with_database(run):
    """Unit tests of store/ and of the writer's thread need a server: TOCSIN_TEST_DATABASE, else a private one for as long as they run."""
    if "TOCSIN_TEST_DATABASE" in ENV:
        return run()
    sys.path.insert(0, str(TOP / "tests/system"))
    from harness.postgres import Postgres
    server = Postgres()
    try:
        ENV["TOCSIN_TEST_DATABASE"] = server.conninfo()
        return run()
    finally:
        del ENV["TOCSIN_TEST_DATABASE"]
        server.remove()


def stale(build, flavour, program):
    """A program that was linked before the library was built anew says nothing of the sources: the reason, or None."""
    library = build / flavour / "libtocsin.a"
    old = program.exists() and library.exists() and program.stat().st_mtime_ns < library.stat().st_mtime_ns
    return f"{program.name} is older than {library.name}: run make test-programs" if old else None


def many(build, flavour, kind):
    def run_one(program, flavour):
        old, began = stale(build, flavour, program), time.monotonic()
        result = (0, 1, 0, old) if old else (unit if kind == "unit" else corpus)(program, flavour)
        return (*result, time.monotonic() - began)
    found = sorted(programs(build, flavour, kind), key=lambda p: LONGEST.index(p.name) if p.name in LONGEST else len(LONGEST))
    totals = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, result in zip(found, pool.map(lambda p: run_one(p, flavour), found)):
            *counts, text, took = result
            totals = [a + b for a, b in zip(totals, counts)]
            shown = program.relative_to(build / flavour / "tests" / ("unit" if kind == "unit" else "fuzz"))
            print(f"{'FAILED' if counts[1] else 'ok    '} {kind}:{flavour} {shown}: {counts[0]} passed, {counts[1]} failed"
                  + (f", {counts[2]} skipped" if counts[2] else "") + (f", {took:.0f} s" if took >= 5 else ""), flush=True)
            if counts[1]:
                print("    " + text[-6000:].strip().replace("\n", "\n    "), flush=True)
    return totals


def bench(build, flavour):
    old = stale(build, flavour, build / flavour / "tests/bench/bench_step")
    if old:
        print(f"FAILED bench:{flavour} {old}", flush=True)
        return [0, 1, 0]
    *counts, text = tap([sys.executable, "-B", "tests/bench/instructions.py", "--build", build / flavour], flavour)
    print(text.strip(), flush=True)
    return counts


def system(build, flavour, extra):
    report = build / "results" / f"system-{flavour}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    env = {**SHARED, **os.environ, "TOCSIN_BUILD": flavour, "TOCSIN_BUILD_DIR": str(build), "PYTHONDONTWRITEBYTECODE": "1"}
    extra = shlex.split(extra)
    where = [] if any(a.startswith("tests/system/") for a in extra) else ["tests/system"]
    limit = SYSTEM_LIMIT_S * (6 if os.environ.get("TOCSIN_LONG") == "1" else 1)
    # the limit ends pytest gently first, so that its fixtures clean up
    done = subprocess.run(["timeout", "--signal=INT", "--kill-after=60", str(limit), sys.executable, "-m", "pytest", "-q", *PYTEST,
                           f"--junitxml={report}", "--durations=5", *extra, *where], cwd=TOP, env=env, stdin=subprocess.DEVNULL, check=False)
    try:
        suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
        total, failures, errors, skipped = (int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped"))
    except (OSError, xml.etree.ElementTree.ParseError, AttributeError):
        total = failures = errors = skipped = 0
    failed = min(total, failures + errors) or (1 if done.returncode != 0 else 0)
    return [max(0, total - failed - skipped), failed, skipped]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build")
    parser.add_argument("--pytest", default="", help="more arguments for pytest, as in '-k kill'")
    parser.add_argument("stages", nargs="+", metavar="STAGE")
    options = parser.parse_args()
    build = pathlib.Path(options.build).resolve()
    totals = [0, 0, 0]
    for stage in options.stages:
        kind, flavour = stage.split(":")
        began = time.monotonic()
        print(f"== {stage}", flush=True)
        if kind == "system":
            counts = system(build, flavour, options.pytest)
        elif kind == "bench":
            counts = bench(build, flavour)
        elif kind == "unit":
            counts = with_database(lambda: many(build, flavour, "unit"))
        else:
            counts = many(build, flavour, kind)
        totals = [a + b for a, b in zip(totals, counts)]
        print(f"== {stage}: {counts[0]} passed, {counts[1]} failed, {counts[2]} skipped in {time.monotonic() - began:.0f} s\n", flush=True)
    return tally.close(*totals)


if __name__ == "__main__":
    sys.exit(main())
