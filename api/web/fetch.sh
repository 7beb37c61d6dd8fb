#!/bin/sh
# fetch.sh BUILD_DIR - puts the chart library, from npm by name and checked against package-lock.json, into BUILD_DIR/web/.
#
# Without npm or a registry the build goes on: an empty stand-in is written and the page says in the chart's place that the
# library is missing. A stand-in is tried again at the next run; the real file is kept until package-lock.json changes.
set -eu
[ $# -eq 1 ] || { echo "usage: fetch.sh BUILD_DIR" >&2; exit 64; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/web" "$1/npm"
build=$(cd "$1" && pwd)
library=lightweight-charts.standalone.production.js
installed=$build/npm/node_modules/lightweight-charts

if [ -s "$build/web/$library" ] && cmp -s "$here/package-lock.json" "$build/npm/installed-lock.json"; then exit 0; fi

rm -f "$build/npm/installed-lock.json"
cp "$here/package.json" "$here/package-lock.json" "$build/npm/"
if (cd "$build/npm" && timeout 120 npm ci --ignore-scripts --no-audit --no-fund \
        --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=2000) >"$build/npm/npm.log" 2>&1 \
   && cp "$installed/dist/$library" "$build/web/$library" \
   && cp "$installed/LICENSE" "$build/web/lightweight-charts.LICENSE.txt"; then
    cp "$here/package-lock.json" "$build/npm/installed-lock.json"
else
    : >"$build/web/$library"
    echo "fetch.sh: npm could not fetch lightweight-charts; the dashboard is built without its chart (see $build/npm/npm.log)" >&2
fi
