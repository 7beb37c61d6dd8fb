#!/usr/bin/env python3
"""targets.py: each `make X` that a page, a script or the image's recipe names is a target of the Makefile, and each file the image copies is there.

In pages what counts is code: `make X` in backquotes, blocks between fences, indented blocks. In scripts it is the command; `make "$t"` stands for
each word of the `for t in ...` above it."""
import re
import sys

import files

OPTION = r"(?<!\S)(?:-\S+|[A-Z_]+=(?:'[^']*'|\"[^\"]*\"|\S*))"
BEFORE = r"(?:^|&&|\|\||[;({]|\$\(|\bRUN\b|\bthen\b|\bdo\b|\bif\b|!|\b(?:timeout|env|sudo|exec)\b[^;&|#\n]*)"
COMMAND = re.compile(rf"{BEFORE}[ \t]*\bmake\b((?:[ \t]+(?:{OPTION}|\"?\$?[a-z][\w-]*\"?))*)", re.M)
FENCED = re.compile(r"^```.*?^```", re.S | re.M)
SPAN = re.compile(r"`([^`\n]+)`")
INDENTED = re.compile(r"^    .*$", re.M)


def commands(name, text):
    """(line number, code) of what could be a command in the file."""
    at = lambda where: text.count("\n", 0, where) + 1
    if name.endswith(".md"):
        blocks = list(FENCED.finditer(text))
        yield from ((at(m.start()) + n, line) for m in blocks for n, line in enumerate(m[0].splitlines()))
        rest = FENCED.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)
        yield from ((at(m.start()), m[1]) for m in SPAN.finditer(rest))
        yield from ((at(m.start()), m[0].strip()) for m in INDENTED.finditer(rest))
    else:
        for number, line in enumerate(re.sub(r"\\\n", "  ", text).splitlines(), start=1):
            yield number, re.sub(r"(^|\s)#.*", "", line)
            yield from ((number, m[1]) for m in SPAN.finditer(line) if line.lstrip().startswith("#"))


def named(name, text):
    """(line number, target) of each make in the file."""
    loops = dict(re.findall(r"\bfor (\w+) in ([^;\n]*); *do", text))
    for number, code in commands(name, text):
        for found in COMMAND.finditer(code):
            for word in re.sub(OPTION, "", found[1]).split():
                word = word.strip('"')
                words = loops.get(word[1:], "").split() if word.startswith("$") else [word]
                yield from ((number, w) for w in words or [word])


def targets(makefile):
    rules = re.findall(r"^([a-z][\w -]*):(?!=)", makefile, re.M)
    return {t for line in rules for t in line.split()}


def copied(dockerfile):
    for line in re.findall(r"^COPY (?!--from)(.*)$", dockerfile, re.M):
        yield from line.split()[:-1]


def main():
    there = targets(files.text_of("Makefile"))
    bad = []
    for name in files.project_files():
        if name.endswith((".md", ".sh", "Dockerfile")) or name.startswith((".ci/", "docker/")):
            text = files.text_of(name) or ""
            bad += [f"{name}:{line}: make {word}: no such target" for line, word in named(name, text) if word not in there]
            if name.endswith("Dockerfile"):
                bad += [f"{name}: COPY {source}: no such file" for source in copied(text) if not (files.TOP / source).exists()]
    print("\n".join(bad), end="\n" if bad else "")
    return len(bad)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
