#!/usr/bin/env bash
# setup.sh run|check|test - installs what this machine lacks (Debian 12 or newer), and says nothing when there is nothing to do.
#
#   run     to build and to run the demo
#   check   run, the second compiler, and what the tests' sources include
#   test    check, and what the tests need
# As root, or as a user who may sudo. SETUP_DRY=1 only prints what is missing.
set -euo pipefail

# what shows that it is there | the Debian package that brings it. dpkg: the package itself; python: a module.
run="gcc|gcc  dpkg:libc6-dev|libc6-dev  make|make  curl|curl  pkg-config|pkg-config  python3|python3  npm|npm
    dpkg:librdkafka-dev|librdkafka-dev  dpkg:libpq-dev|libpq-dev  dpkg:libmicrohttpd-dev|libmicrohttpd-dev
    dpkg:libjansson-dev|libjansson-dev  dpkg:libcurl4-openssl-dev|libcurl4-openssl-dev  dpkg:libssl-dev|libssl-dev  postgres|postgresql  dpkg:ca-certificates|ca-certificates"
check="git|git  promtool|prometheus  clang|clang  dpkg:libcmocka-dev|libcmocka-dev  python:ensurepip|python3-venv"
test="clang_rt|libclang-rt-dev  java|default-jre-headless  mvn|maven  node|nodejs
    chromium|chromium  valgrind|valgrind"

case ${1:-} in
run) wanted=$run ;;
check) wanted="$run $check" ;;
test) wanted="$run $check $test" ;;
*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "$0"; exit 2 ;;
esac

there() {
    case $1 in
    dpkg:*) [ "$(dpkg-query -W -f '${db:Status-Status}' "${1#dpkg:}" 2> /dev/null)" = installed ] ;;
    python:*) python3 -c "import ${1#python:}, venv" 2> /dev/null ;;
    postgres) ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1 ;;
    clang_rt) ls "$(clang -print-resource-dir 2> /dev/null)"/lib/linux/libclang_rt.fuzzer-* > /dev/null 2>&1 ;;
    *) command -v "$1" > /dev/null ;;
    esac
}

missing=()
for pair in $wanted; do there "${pair%|*}" || missing+=("${pair#*|}"); done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ -n "${SETUP_DRY:-}" ]; then echo "${missing[*]}"; exit 0; fi

command -v apt-get > /dev/null || { echo "Not a Debian; please install the like of: ${missing[*]}" >&2; exit 1; }
as_root=()
if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || { echo "Please install, as root: apt-get install ${missing[*]}" >&2; exit 1; }
    as_root=(sudo)
fi
echo "Installing: ${missing[*]}"
log=$(mktemp)
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" > "$log" 2>&1; }
if ! apt update || ! apt install -y --no-install-recommends "${missing[@]}"; then
    tail -n 20 "$log" >&2
    echo "Could not install ${missing[*]}" >&2
    exit 1
fi
rm -f "$log"
