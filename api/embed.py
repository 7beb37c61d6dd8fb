#!/usr/bin/env python3
"""embed.py DIR > web_assets.c - the files of DIR as C arrays (api/web_assets.h). Same files, same bytes."""
import hashlib
import pathlib
import sys

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml", ".json": "application/json", ".png": "image/png", ".txt": "text/plain; charset=utf-8",
         ".woff2": "font/woff2", ".ico": "image/x-icon"}

root = pathlib.Path(sys.argv[1])
files = sorted(p for p in root.rglob("*") if p.suffix in TYPES and p.is_file())
print('/* made by api/embed.py: do not edit */\n#include "api/web_assets.h"\n')
rows = []
for i, p in enumerate(files):
    data = p.read_bytes()
    print(f"static const unsigned char data_{i}[] = {{")
    for k in range(0, len(data), 32):
        print(",".join(map(str, data[k:k + 32])) + ",")
    print("0 };")
    path = "/" + p.relative_to(root).as_posix()
    rows.append(f'    {{ "{path}", "{TYPES[p.suffix]}", data_{i}, {len(data)}, "\\"{hashlib.sha256(data).hexdigest()[:20]}\\"" }},')
print("\nconst struct web_asset web_assets[] = {")
print("\n".join(rows) if rows else "    { 0 },")
print(f"}};\nconst size_t web_assets_n = {len(rows)};")
