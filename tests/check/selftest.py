#!/usr/bin/env python3
"""selftest.py: each look that judges text finds what it is there to find, and nothing else."""
import sys

import includes
import targets
import unrun

INCLUDES = [                             # folder, header, quoted, is it a fault
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

CMOCKA, FUZZER = "#include <cmocka.h>\n", "int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)\n{\n}\n"
RUN = {"tests/unit/core/test_a", "tests/unit/alerts/rules/test_b", "tests/fuzz/fuzz_c"}
PYTEST = {"tests/system/test_p.py::test_x", "tests/system/test_p.py::TestY::test_z"}
UNRUN = [                                # what is asked, is there a fault
    (unrun.of_c({"tests/unit/core/test_a.c": CMOCKA, "tests/fuzz/fuzz_c.c": FUZZER, "tests/fuzz/corpus_main.c": FUZZER.replace("\n{", ";")}, RUN, RUN), False),
    (unrun.of_c({"tests/unit/alerts/rules/test_b.c": CMOCKA}, RUN - {"tests/unit/alerts/rules/test_b"}, RUN), True),
    (unrun.of_c({"tests/unit/alerts/rules/test_b.c": CMOCKA}, RUN, RUN - {"tests/unit/alerts/rules/test_b"}), True),
    (unrun.of_c({"tests/unit/core/tests_of_a.c": CMOCKA}, RUN, RUN), True),
    (unrun.of_c({"tests/test_d.c": ""}, RUN, RUN), True),
    (unrun.of_c({"tests/fuzz/decoder.c": FUZZER}, RUN, RUN), True),
    (unrun.of_corpus(["tests/fuzz/corpus/c/x.json", "tests/fuzz/corpus/c/deeper/y"], RUN), False),
    (unrun.of_corpus(["tests/fuzz/corpus/d/x.json"], RUN), True),
    (unrun.of_corpus(["tests/fuzz/corpus/c/.x.json"], RUN), True),
    (unrun.of_corpus(["tests/fuzz/corpus/x.json"], RUN), True),
    (unrun.of_python({"tests/system/test_p.py": "def test_x(): pass\nclass TestY:\n  def test_z(self): pass\n"}, PYTEST), False),
    (unrun.of_python({"tests/system/deep/test_p.py": "def test_x(): pass\n"}, PYTEST), True),
    (unrun.of_python({"tests/system/p.py": "def test_x(): pass\n"}, PYTEST), True),
    (unrun.of_python({"tests/system/test_p.py": "def test_x(): pass\ndef test_x(): pass\n"}, PYTEST), True),
    (unrun.of_looks(["tests/check/a.py", "tests/check/b.py"], {"tests/check/all.py": '"tests/check/a.py"', "tests/check/a.py": "import b\n"}), False),
    (unrun.of_looks(["tests/check/a.py"], {"tests/check/all.py": ""}), True),
    (unrun.of_looks(["tests/system/x/y.mjs"], {"tests/system/test_p.py": 'node.run("z.mjs")'}), True),
]

TARGETS = [                              # file, its text, the targets it names
    ("a/README.md", "`make run` and make nothing, `make SAN=thread unit-all -s`\n\n    make && x\n    make bench\n", ["run", "unit-all", "bench"]),
    ("README.md", "```sh\nmake test TESTS='-k one two'\ncd x && make fuzz\n```\nLet us make sure.\n", ["test", "fuzz"]),
    ("docker/Dockerfile", "RUN apt-get install -y make\nRUN make deps && make \\\n && make install PREFIX=/usr\n", ["deps", "install"]),
    (".ci/run", 'for tool in make git; do :; done\nfor target in check test; do\n timeout 9 make -s "$target"\ndone # make tea\n', ["check", "test"]),
    ("x.sh", "# `make one`, or make two\nif make three; then :; fi\n", ["one", "three"]),
]


def main():
    wrong = [("includes", *case) for case in INCLUDES if bool(list(includes.faults(*case[:3]))) != case[3]]
    wrong += [("unrun", number, found) for number, (asked, fault) in enumerate(UNRUN) if bool(found := list(asked)) != fault]
    wrong += [("targets", *case, got) for case in TARGETS if (got := [w for _, w in targets.named(*case[:2])]) != case[2]]
    for case in wrong:
        print("misjudged:", *case)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
