#!/usr/bin/env bash
# prometheus.sh: are the alert rules of docker/prometheus rules, does each fire where its standstill is and nowhere else, and is every
# metric that they name one of ours?
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../docker/prometheus"
promtool check rules tocsin.rules.yml > /dev/null
promtool test rules tocsin.test.yml > /dev/null
ours=$(cat ../../core/metrics.def ../../core/histograms.def ../../core/metrics.c ../../app/threads/health.c)
for name in $(grep -oE 'tocsin_[a-z_]+' tocsin.rules.yml | sed -E 's/_bucket$//' | sort -u); do
    case $ours in *"\"$name\""* | *"\"$name{"* | *" $name "*) ;; *) echo "no metric of ours: $name"; exit 1 ;; esac
done
