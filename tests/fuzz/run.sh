#!/usr/bin/env bash
# run.sh BUILD SECONDS - each fuzzer for that long, from its corpus in tests/fuzz/corpus; what it learns stays in BUILD/fuzz/corpus.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$1 seconds=$2 passed=0 failed=0
mkdir -p "$build/fuzz/found"
while IFS= read -r source; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    mkdir -p "$build/fuzz/corpus/$name" "tests/fuzz/corpus/$name"
    dict=()
    [ ! -e "tests/fuzz/$name.dict" ] || dict=(-dict="tests/fuzz/$name.dict")
    if "$build/fuzz/${source%.c}" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$build/fuzz/found/$name-" "${dict[@]}" "$build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" \
        > "$build/fuzz/$name.log" 2>&1 < /dev/null; then
        echo "ok     $name: $(awk '/number_of_executed_units/ { print $2 }' "$build/fuzz/$name.log") executions"
        passed=$((passed + 1))
    else
        echo "FAILED $name: see $build/fuzz/$name.log"
        tail -n 30 "$build/fuzz/$name.log"
        failed=$((failed + 1))
    fi
done < <(find tests/fuzz -name 'fuzz_*.c' | sort)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
