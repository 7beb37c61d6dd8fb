#!/usr/bin/env python3
"""shape.py: the shape of the C code in numbers, printed whether they are met or not; and kinds named where nobody but their own file may name them. What is not met fails.

    shape.py [-v]       -v: each place, the longest functions, the files with most long lines"""
import re
import statistics
import sys

import c_text
import files

PRODUCT = ("core/", "ingest/", "analytics/", "alerts/", "store/", "api/", "app/")
COLUMNS, LONG_LINES_MAX = 100, 0.02
COMMENTED, COMMENTS_MIN = ("analytics", "alerts", "ingest", "store"), 0.14
MEDIAN_MAX, NINTH_MAX = 12, 30

# default: labels over something that is no kind of ours: {function: what it is over}
DEFAULTS = {
    "buf_json_string": "characters",
    "phrase": "HTTP's status codes",
    "apply_one": "librdkafka's results",
}
# Literals that name a measure and may: {(file, part of the literal): why}
MEASURES_SAID = {
    ("analytics/measure.c", "such as"): "an example in a message",
    ("alerts/rules/rule_mistake.c", "hhi(SP500)"): "an example in a message",
    ("analytics/measure_mistake.c", "such as"): "an example in a message",
    ("analytics/measure.c", "last(AAPL)"): "the reference page's example of a measure as a subject",
    ("api/resources/history.c", "hhi(DEMO)"): "an example in the API's document",
    ("api/resources/measures.c", "hhi(DEMO)"): "an example in the API's document",
    ("analytics/measures/robustness.c", "highest_since(spread(SP500"): "the reference page's example of its subject",
    ("api/resources/explain.c", "hhi(DEMO)"): "an example in the API's document",
    ("app/demo/demo.c", "hhi("): "the rule that the demo offers its user, and what its page shows",
    ("app/demo/demo.c", "percentile("): "what the demo's page shows",
    ("app/demo/demo.c", "highest_since("): "what the demo's page shows",
    ("app/demo/demo.c", "drawdown("): "what the demo's page shows",
    ("app/demo/demo.c", "streak("): "what the demo's page shows",
    ("app/demo/demo.c", "last(%s)"): "the rule that the demo offers its user",
}
# Measures whose names are words of every day: they count as a call alone, and not in SQL.
WORDS = {"last", "level", "change", "max", "min", "avg", "sum", "count"}

SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE [\w.]+ (AS \w+ )?SET|DELETE FROM|WITH \w+ (\([^)]*\) )?AS|CREATE (TABLE|INDEX|ROLE|DATABASE|SCHEMA)|DROP|ALTER|"
                 r"TRUNCATE|COPY(?=\s)|LOCK TABLE|BEGIN|COMMIT|ROLLBACK|SET (LOCAL )?\w+|LISTEN|NOTIFY)\b")
SQL_ANYWHERE = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|VALUES)\b")
# What libm rounds differently from one release to the next; core/maths.h has what is needed. sqrt, fabs, floor, ldexp ... are exact.
LIBM = re.compile(r"\b(?:log|log2|log10|log1p|exp|exp2|exp10|expm1|pow|cbrt|hypot|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh|asinh|acosh|atanh|erf|erfc|"
                  r"tgamma|lgamma|sincos)[fl]?\s*\(")
LIBM_MAY = {"app/demo/simulation.c", "app/demo/feed.c"}       # sin and cos of the demo: what its market makes is sent, not replayed
LIBPQ = re.compile(r"\b(?:PQ[a-z]\w*\s*\(|PG(?:conn|result)\b)")
MEASURE_ROW = re.compile(r"^MEASURE\(\s*(\w+)\s*(?:,\s*\"(\w+)\")?", re.M)
JS_STRING = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\])*`")


def is_c(name):
    return name.endswith((".c", ".h", ".def"))


# ---- numbers ----
def long_lines(texts):
    lines = [(n, i, len(line)) for n, t in texts.items() for i, line in enumerate(t.splitlines(), start=1)]
    return [x for x in lines if x[2] > COLUMNS], len(lines)


def comment_share(texts, folder):
    counts = [c_text.line_counts(t) for n, t in texts.items() if n.startswith(folder + "/")]
    return sum(c for c, _ in counts) / max(1, sum(a for _, a in counts))


def file_graph(texts):
    return {n: {i for i in c_text.includes(t) if i in texts} for n, t in texts.items()}


def unit_graph(texts):
    """unit -> units whose header (or list) one of its files includes; a unit is x.c and x.h.

    A header without a .c of its own is a unit as well; but where it and a unit include each other it is that unit's inside, and part of it."""
    stem = lambda name: name.removesuffix(".c").removesuffix(".h")
    plain = graph_of(texts, stem)
    inside = {h: x for h in plain if h + ".c" not in texts for x in sorted(plain[h]) if x + ".c" in texts and h in plain[x]}
    return graph_of(texts, lambda name: inside.get(stem(name), stem(name)))


def graph_of(texts, unit):
    graph = {}
    for name, included in file_graph(texts).items():
        graph.setdefault(unit(name), set()).update(unit(i) for i in included if unit(i) != unit(name))
    return graph


def function_lengths(texts):
    return sorted((last - first + 1, n, name, first) for n, t in texts.items() for name, first, last in c_text.functions(t))


# ---- kinds ----
def default_labels(texts):
    for n, t in texts.items():
        for line, over, function in c_text.defaults(t):
            if function not in DEFAULTS:
                yield f"{n}:{line}: default: in switch ({over}) of {function}"


def foreign_sql(texts):
    for n, t in texts.items():
        if n.startswith(("store/", "schema/")):
            continue
        yield from (f"{n}:{line}: SQL: {text[:40]}" for line, text in c_text.literals(t) if SQL.match(text))
        bare = c_text.code(t, strings=False)
        calls = LIBPQ.findall(bare)
        if calls:
            yield f"{n}: libpq, {len(calls)} times"


def libm_calls(texts):
    for n, t in texts.items():
        if n in LIBM_MAY:
            continue
        for line, text in enumerate(c_text.code(t, strings=False).splitlines(), start=1):
            yield from (f"{n}:{line}: {call.rstrip('( ')}" for call in LIBM.findall(text))


def measures(texts):
    """The measures' names, from the rows of their list."""
    return {quoted or word.lower() for n, t in texts.items() if n.endswith(".def") for word, quoted in MEASURE_ROW.findall(t)}


def strings_of(name, text):
    if not name.endswith(".js"):
        return c_text.literals(text)
    bare = re.sub(r"/\*.*?\*/", lambda m: c_text.blank(m[0]), text, flags=re.S)
    return ((bare.count("\n", 0, m.start()) + 1, m[0][1:-1]) for m in JS_STRING.finditer(bare))


def measure_names(texts):
    """A name as a literal, in one as a call, or as a constant, elsewhere than in its own file and the list's row."""
    names = measures(texts)
    if not names:
        return
    call, constant = re.compile(rf"\b({'|'.join(sorted(names))})\("), re.compile(rf"\bMEASURE_({'|'.join(sorted(names - WORDS)).upper()})\b")
    own = {}
    for n, t in texts.items():
        if n.startswith("analytics/measures/") and n.endswith(".c"):
            for name in re.findall(r"\.name\s*=\s*\"(\w+)\"", t):
                own.setdefault(name, n)
    for n, t in texts.items():
        if n.endswith(".def"):
            continue
        for line, text in strings_of(n, t):
            calls = [c for c in call.findall(text) if not (c in WORDS and SQL_ANYWHERE.search(text))]
            found = text if text in names - WORDS else (calls or [""])[0]
            if found and own.get(found) != n and not any(n == file and part in text for file, part in MEASURES_SAID):
                yield f"{n}:{line}: measure: {found}"
        bare = c_text.code(t, strings=False)
        yield from (f"{n}:{bare.count(chr(10), 0, m.start()) + 1}: measure: {m[0]}" for m in constant.finditer(bare) if own.get(m[1].lower()) != n)


# ---- all of it ----
def findings(every, product, scripts):
    """(what is printed, is it met) of each number and each kind."""
    below = lambda found: "".join("\n    " + f for f in found)
    long, lines = long_lines(every)
    yield f"lines over {COLUMNS} columns: {len(long)} of {lines}, {len(long) / lines:.1%} (at most {LONG_LINES_MAX:.0%})", len(long) <= lines * LONG_LINES_MAX
    for folder in COMMENTED:
        share = comment_share(product, folder)
        yield f"comment lines in {folder}/: {share:.1%} (at least {COMMENTS_MIN:.0%})", share >= COMMENTS_MIN
    for what, graph in (("files", file_graph(product)), ("units", unit_graph(product))):
        found = c_text.circles(graph)
        yield f"circles of includes between {what}: {len(found)}" + below(" - ".join(c) for c in found), not found
    lengths = [length for length, *_ in function_lengths(product)]
    median, ninth = statistics.median(lengths), lengths[int(len(lengths) * 0.9)]
    yield (f"functions: {len(lengths)}, median {median:g} lines (at most {MEDIAN_MAX}), 90th percentile {ninth} (at most {NINTH_MAX})",
           median <= MEDIAN_MAX and ninth <= NINTH_MAX)
    for what, found in (("default: labels that answer for a kind", list(default_labels(product))),
                        ("calls of libm whose last bit differs between releases", list(libm_calls(product))),
                        ("SQL and libpq outside store/ and schema/", list(foreign_sql(product))),
                        ("measures named outside their own file", list(measure_names({**product, **scripts})))):
        yield f"{what}: {len(found)}" + below(found), not found


def main():
    texts = {n: files.text_of(n) or "" for n in files.project_files() if is_c(n) or n.startswith("api/web/") and n.endswith(".js")}
    every = {n: t for n, t in texts.items() if is_c(n)}
    product = {n: t for n, t in every.items() if n.startswith(PRODUCT)}
    scripts = {n: t for n, t in texts.items() if not is_c(n)}
    bad = 0
    for what, met in findings(every, product, scripts):
        head, _, places = what.partition("\n")
        print(head + ("" if met else "  <- not met"))
        if places and not met:
            print(places)
        bad += not met
    if "-v" in sys.argv:
        print("longest functions:", *(f"\n    {length} {n}:{first} {name}" for length, n, name, first in function_lengths(product)[:-31:-1]))
        count = {n: sum(1 for f, *_ in long_lines(every)[0] if f == n) for n in every}
        print("long lines:", *(f"\n    {c} {n}" for n, c in sorted(count.items(), key=lambda x: -x[1])[:30] if c))
    return bad


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
