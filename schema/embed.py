#!/usr/bin/env python3
"""embed.py FOLDER: prints a C file that holds the numbered *.sql files of FOLDER in order, as store/schema_files.h declares them."""
import pathlib
import re
import sys


def literal(text):
    """C string literals, a source line each; \\? so that no trigraph can form."""
    special = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "?": "\\?"}
    for line in text.splitlines(keepends=True):
        yield '        "' + "".join(special.get(c) or (c if " " <= c <= "~" else "".join(f"\\{b:03o}" for b in c.encode())) for c in line) + '"'


def main(folder):
    files = sorted(pathlib.Path(folder).glob("*.sql"))
    print('#include "store/schema_files.h"\n\nconst struct schema_file schema_files[] = {')
    for want, path in enumerate(files, start=1):
        number = re.match(r"(\d{3})_[a-z0-9_]+\.sql$", path.name)
        if not number or int(number[1]) != want:
            sys.exit(f"{path.name}: expected {want:03d}_<what>.sql, numbers dense from 001")
        print(f'    {{ "{path.name}", {want},')
        print("\n".join(literal(path.read_text(encoding="utf-8"))) + " },")
    print(f"}};\nconst size_t schema_files_n = {len(files)};")


main(sys.argv[1])
