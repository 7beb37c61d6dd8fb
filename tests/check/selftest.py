#!/usr/bin/env python3
"""selftest.py: each look that judges text finds what it is there to find, and nothing else."""
import sys

import c_text
import includes
import shape
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

C = """/* head
 *
 * more */
#include "core/buf.h"
/* #include "core/no.h" */
int a; /* beside code */

static enum err long_one(struct x *x,
                         int y)
{
    switch (y) {
    case 1: return say("SELECT 1" /* and */
                       " FROM hhi(X); }");
    default: return 0; /* default: */
    }
}

static int short_one(void) { return 'x' == '"'; }
PRINTF_LIKE(1, 2) void third(const char *format)
{
}
"""
DEF = {"analytics/measures.def": 'MEASURE(HHI, "hhi", INDEX)\nMEASURE(gini)\n'}
SHAPE = [                                # what is asked, the answer
    (lambda: c_text.line_counts(C), (4, 19)),
    (lambda: list(c_text.functions(C)), [("long_one", 8, 16), ("short_one", 18, 18), ("third", 19, 21)]),
    (lambda: list(c_text.literals(C)), [(4, "core/buf.h"), (12, "SELECT 1 FROM hhi(X); }")]),
    (lambda: c_text.includes(C), ["core/buf.h"]),
    (lambda: list(c_text.defaults(C)), [(14, "y", "long_one")]),
    (lambda: c_text.circles({"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set(), "e": {"e", "gone"}}), [["a", "b", "c"], ["e"]]),
    (lambda: shape.unit_graph({"x/a.c": '#include "x/b.h"\n', "x/a.h": "", "x/b.c": '#include "x/a.h"\n#include "x/b.h"\n', "x/b.h": ""}),
     {"x/a": {"x/b"}, "x/b": {"x/a"}}),
    (lambda: shape.unit_graph({"x/a.c": '#include "x/a_inside.h"\n', "x/a.h": "", "x/a_inside.h": '#include "x/a.h"\n', "x/b.c": '#include "x/a_inside.h"\n'}),
     {"x/a": set(), "x/b": {"x/a"}}),
    (lambda: list(shape.default_labels({"app/x.c": C})), ["app/x.c:14: default: in switch (y) of long_one"]),
    (lambda: list(shape.foreign_sql({"app/x.c": C, "store/x.c": C})), ["app/x.c:12: SQL: SELECT 1 FROM hhi(X); }"]),
    (lambda: list(shape.foreign_sql({"app/x.c": 'f("SELECTED", "select it", "Update the page");\nPQclear(r); PGresult *r;'})),
     ["app/x.c: libpq, 2 times"]),
    (lambda: list(shape.libm_calls({"alerts/x.c": '/* log(x) */ f("exp(x)");\ny = sqrt(x) + maths_log(x) + powf (x, 2);\nlog1p(x);'})),
     ["alerts/x.c:2: powf", "alerts/x.c:3: log1p"]),
    (lambda: list(shape.measure_names({**DEF, "app/x.c": C + 'f("hhi", "over the hhi", MEASURE_HHI, "gini");'})),
     ["app/x.c:12: measure: hhi", "app/x.c:22: measure: hhi", "app/x.c:22: measure: gini", "app/x.c:22: measure: MEASURE_HHI"]),
    (lambda: list(shape.measure_names({**DEF, "analytics/measures/gini.c": '.name = "gini", f("gini(X)", "hhi(X)")'})),
     ["analytics/measures/gini.c:1: measure: hhi"]),
    (lambda: list(shape.measure_names({**DEF, "api/web/x.js": "/* 'hhi(X)' */ hhi(1); f(`gini(${x})`)"})), ["api/web/x.js:1: measure: gini"]),
]


def main():
    wrong = [("includes", *case) for case in INCLUDES if bool(list(includes.faults(*case[:3]))) != case[3]]
    wrong += [("unrun", number, found) for number, (asked, fault) in enumerate(UNRUN) if bool(found := list(asked)) != fault]
    wrong += [("targets", *case, got) for case in TARGETS if (got := [w for _, w in targets.named(*case[:2])]) != case[2]]
    wrong += [("shape", number, got) for number, (ask, want) in enumerate(SHAPE) if (got := ask()) != want]
    for case in wrong:
        print("misjudged:", *case)
    return len(wrong)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
