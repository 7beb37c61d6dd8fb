#!/usr/bin/env python3
"""unrun.py: is there a test that nobody runs? What the files say is held against what make builds, run.py starts and pytest collects.

A test in a folder that a list does not look into, or under a name that a pattern does not match, passes for ever."""
import ast
import os
import pathlib
import re
import subprocess
import sys

import files

sys.path.insert(0, str(files.TOP / "tests"))
import run as runner  # noqa: E402

IS_UNIT = re.compile(r'^\s*#\s*include\s*<cmocka\.h>', re.M)
IS_FUZZER = re.compile(r"^int LLVMFuzzerTestOneInput\([^;{]*\)\s*\{", re.M)


def of_c(texts, made, run):
    """texts: {name: text} of the C files in tests/; made, run: the programs that make builds and run.py starts, as tests/unit/core/test_buf."""
    for name, text in texts.items():
        stem, is_test = name.removesuffix(".c"), IS_UNIT.search(text) or IS_FUZZER.search(text)
        if is_test or name.split("/")[-1].startswith(("test_", "fuzz_")):
            for who, programs in (("make does not build", made), ("run.py does not run", run)):
                if stem not in programs:
                    yield f"{name}: a test that {who}"


def of_corpus(names, run):
    """Inputs of a fuzzer that is not there, or that corpus_main.c passes over."""
    fuzzers = {r.split("/")[-1].removeprefix("fuzz_") for r in run if r.startswith("tests/fuzz/")}
    for name in names:
        parts = name.removeprefix("tests/fuzz/corpus/").split("/")
        if name.startswith("tests/fuzz/corpus/") and (len(parts) < 2 or parts[0] not in fuzzers or any(p.startswith(".") for p in parts)):
            yield f"{name}: no fuzzer reads it"


def functions(text):
    """The test functions of a Python file as pytest names them, in order; one defined twice is there twice."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name
        if isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from (f"{node.name}::{f.name}" for f in node.body if isinstance(f, ast.FunctionDef) and f.name.startswith("test_"))


def of_python(texts, collected):
    """collected: pytest's own names without parameters, as tests/system/test_smoke.py::test_spine."""
    for name, text in texts.items():
        seen = set()
        for function in functions(text):
            if f"{name}::{function}" not in collected:
                yield f"{name}: pytest does not collect {function}"
            if function in seen:
                yield f"{name}: the second {function} hides the first"
            seen.add(function)


def of_looks(names, texts):
    """A look of tests/check that all.py neither runs nor another look uses; a JavaScript test that no Python test starts."""
    python = "\n".join(t for n, t in texts.items() if n.endswith(".py"))
    looks = texts.get("tests/check/all.py", "")
    for name in names:
        base, stem = name.split("/")[-1], pathlib.PurePath(name).stem
        if name.startswith("tests/check/") and base.endswith((".py", ".sh")) and base != "all.py":
            if not re.search(rf"\b{re.escape(base)}|^import .*\b{stem}\b", looks, re.M) and not re.search(rf"^(import|from) {stem}\b", python, re.M):
                yield f"{name}: all.py does not run it"
        if name.startswith("tests/") and base.endswith(".mjs") and base not in python:
            yield f"{name}: nothing starts it"


def make_builds():
    done = subprocess.run(["make", "-s", "--no-print-directory", "list-tests"], cwd=files.TOP, capture_output=True, text=True, check=True,
                          env={k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))})
    return {line[line.index("tests/"):] for line in done.stdout.split()}


def run_starts():
    build = pathlib.Path("build")
    return {str(p.relative_to(build / "x")) for kind in ("unit", "corpus") for p in runner.programs(build, "x", kind)}


def pytest_collects():
    done = subprocess.run([sys.executable, "-B", "-m", "pytest", "--collect-only", "-q", *runner.PYTEST, "tests/system"], cwd=files.TOP,
                          capture_output=True, text=True, check=False, env={**os.environ, "TOCSIN_LONG": "1"})
    assert done.returncode == 0, done.stdout + done.stderr
    return {"tests/system/" + line.split("[")[0] for line in done.stdout.splitlines() if "::" in line}


def main():
    names = [n for n in files.project_files() if n.startswith("tests/")]
    texts = {n: files.text_of(n) or "" for n in names if n.endswith((".c", ".py", ".sh"))}
    of_kind = lambda end: {n: t for n, t in texts.items() if n.endswith(end)}
    run = run_starts()
    bad = [*of_c(of_kind(".c"), make_builds(), run), *of_corpus(names, run), *of_python(of_kind(".py"), pytest_collects()), *of_looks(names, texts)]
    print("\n".join(bad), end="\n" if bad else "")
    return len(bad)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
