#!/usr/bin/env python3
"""readmes.py: every folder has a README.md of about a screen, and its links to files lead somewhere."""
import re
import sys

import files

SCREEN = 90                              # lines; "fits a screen" with some mercy
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")


def main():
    names = files.project_files()
    folders = set()
    for name in names:
        parts = name.split("/")[:-1]
        if parts and not parts[0].startswith("."):
            folders.add(parts[0])
            if parts[0] == "tests" and len(parts) > 1:
                folders.add("/".join(parts[:2]))
    bad = [f"{folder}/: no README.md" for folder in sorted(folders) if f"{folder}/README.md" not in names]
    if "README.md" not in names:
        bad.append("no README.md at the top")
    for name in names:
        if not name.endswith(".md"):
            continue
        text = files.text_of(name) or ""
        if name.endswith("/README.md") and text.count("\n") > SCREEN:
            bad.append(f"{name}: {text.count(chr(10))} lines; a folder's page fits a screen ({SCREEN})")
        for target in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.S)):
            if not re.match(r"[a-z]+:", target) and not (files.TOP / name).parent.joinpath(target).exists():
                bad.append(f"{name}: link to {target} leads nowhere")
    print("\n".join(bad), end="\n" if bad else "")
    return len(bad)


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
