#!/usr/bin/env bash
# generated.sh [--write] PROGRAM - pages' parts that the program itself prints are current.
#
# A page marks such a part with two lines of its own:
#     <!-- generated:NAME -->
#     ... what `PROGRAM --help-NAME` prints ...
#     <!-- end -->
# --write puts the current text there instead of complaining.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
write=''
if [ "${1:-}" = --write ]; then write=1; shift; fi
program=${1:?the program, as in build/release/tocsin}
bad=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

while IFS= read -r page; do
    grep -q '^<!-- generated:' "$page" || continue
    : > "$tmp/page"
    inside=''
    while IFS= read -r line || [ -n "$line" ]; do
        if [[ $line =~ ^'<!-- generated:'([a-z-]+)' -->'$ ]]; then
            inside=${BASH_REMATCH[1]}
            printf '%s\n' "$line" >> "$tmp/page"
            "$program" "--help-$inside" < /dev/null >> "$tmp/page" || { echo "$page: $program --help-$inside failed"; exit 1; }
        elif [ "$line" = '<!-- end -->' ]; then
            inside=''
            printf '%s\n' "$line" >> "$tmp/page"
        elif [ -z "$inside" ]; then
            printf '%s\n' "$line" >> "$tmp/page"
        fi
    done < "$page"
    [ -z "$inside" ] || { echo "$page: generated:$inside has no end"; exit 1; }
    cmp -s "$page" "$tmp/page" && continue
    if [ -n "$write" ]; then
        cat "$tmp/page" > "$page"
        echo "written: $page"
    else
        diff -u "$page" "$tmp/page" | head -40 || true
        echo "$page: not current; make generated"
        bad=1
    fi
done < <(find . -name '*.md' -not -path './build/*' -not -path './.git/*' | sort)
exit $bad
