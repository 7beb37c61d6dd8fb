#!/usr/bin/env python3
"""entities.py [--check]: writes entities.def, or says whether it is current.

The names are those of the HTML standard (https://html.spec.whatwg.org/entities.json, a list that is closed), as Python's own
html.entities has them. Names that HTML reads without their semicolon too are here with it alone: see entity.h."""
import html.entities
import pathlib
import sys

DEF = pathlib.Path(__file__).with_name("entities.def")
HEAD = """/* entities.def - HTML's named characters: ENTITY(name, UTF-8), in strcmp's order of the names.
 * Written by entities.py, which says from what; not by hand. */
"""


def text():
    names = sorted((n[:-1], c) for n, c in html.entities.html5.items() if n.endswith(";"))
    rows = "".join('ENTITY("{}", "{}")\n'.format(n, "".join(f"\\x{b:02X}" for b in c.encode())) for n, c in names)
    return HEAD + rows + "#undef ENTITY\n"


def main():
    if sys.argv[1:] == ["--check"]:
        current = DEF.read_text() == text()
        print("" if current else f"{DEF}: not what entities.py writes")
        return 0 if current else 1
    DEF.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
