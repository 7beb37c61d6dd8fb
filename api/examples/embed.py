#!/usr/bin/env python3
"""embed.py DIR > examples.c - the files of DIR as C strings (api/examples.h), JSON without its blanks. Same files, same bytes."""
import json
import pathlib
import sys


def literal(text):
    """One C string, a line of source a line of text."""
    lines = text.splitlines(keepends=True) or [""]
    return "\n".join("        " + json.dumps(line).replace("\\u007f", "\\177") for line in lines)


rows = []
for p in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    if p.suffix == ".json":
        text = json.dumps(json.loads(p.read_text(encoding="ascii")), separators=(",", ":"))
    elif p.suffix == ".txt":
        text = p.read_text(encoding="ascii")
    else:
        continue
    is_json = "true" if p.suffix == ".json" else "false"
    rows.append(f'    {{ "{p.stem}",\n{literal(text)},\n      {is_json} }},')
print('/* made by api/examples/embed.py: do not edit */\n#include "api/examples.h"\n')
print("const struct example examples[] = {\n" + "\n".join(rows) + "\n};")
print(f"const size_t examples_n = {len(rows)};")
