#!/usr/bin/env python3
"""embed.py FOLDER: prints a C file that holds the *.csv files of FOLDER by name, as ingest/calendars/shipped.h declares them."""
import json
import pathlib
import sys

files = sorted(pathlib.Path(sys.argv[1]).glob("*.csv"))
print('#include "ingest/calendars/shipped.h"\n\nconst struct shipped_calendar shipped_calendars[] = {')
for path in files:
    lines = path.read_text(encoding="ascii").splitlines(keepends=True)
    print(f'    {{ "{path.stem}",\n' + "\n".join("        " + json.dumps(line) for line in lines) + " },")
print(f"}};\nconst size_t shipped_calendars_n = {len(files)};")
