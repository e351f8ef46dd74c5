#!/bin/bash
# Measures the cost of a load of 3.2 million cells on a Citus cluster, until the table is ready:
# CPU seconds a million rows over all nodes and loadgrid, and seconds. The ways take turns.
#
#   LOADGRID_TEST_CITUS_DSN   the coordinator of a cluster with two workers and PostGIS
#   LOADGRID_BENCH_CONTAINERS the containers of the nodes, whose CPU time counts. If it is not
#                             set, the CPU time of the whole machine counts: run nothing else then.
#   LOADGRID_BENCH_ENGINE     docker, or podman
#
#   bench/citus.sh [ROUNDS]   3 rounds by default
#
# Tables that are not distributed are on the coordinator alone.
set -eu
: "${LOADGRID_TEST_CITUS_DSN:?set it to the coordinator of a cluster}"
export LOADGRID_DSN=$LOADGRID_TEST_CITUS_DSN
rounds=${1:-3}
engine=${LOADGRID_BENCH_ENGINE:-docker}
columns=${BENCH_COLS:-2000} rows=${BENCH_ROWS:-1600}

cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
go build -o "$folder/loadgrid" ./cmd/loadgrid

sql() { psql -qtA -v ON_ERROR_STOP=1 "$LOADGRID_DSN" -c "$1"; }

# cpu prints the CPU time so far, in microseconds.
cpu() {
  if [ -z "${LOADGRID_BENCH_CONTAINERS:-}" ]; then
    awk -v hz="$(getconf CLK_TCK)" '/^cpu / { printf "%.0f\n", ($2 + $3 + $4 + $7 + $8) * 1e6 / hz }' /proc/stat
    return
  fi
  # Version 2 of control groups, or version 1, which counts in nanoseconds.
  for c in $LOADGRID_BENCH_CONTAINERS; do
    "$engine" exec "$c" sh -c "sed -n 's/^usage_usec //p' /sys/fs/cgroup/cpu.stat 2>/dev/null || sed 's/...\$//' /sys/fs/cgroup/cpuacct/cpuacct.usage"
  done | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

ways='plain, one transaction|bench_citus.cells|--streams 1
plain, 2 streams|bench_citus.cells|--streams 2
plain, 8 partitions|bench_citus.cells|--partitions 8
distributed schema|bench_citus_schema.cells|
hash:4|bench_citus.cells|--distribute hash:4
hash:4, 1 stream|bench_citus.cells|--distribute hash:4 --streams 1
hash:4, chunks of 200,000|bench_citus.cells|--distribute hash:4 --chunk-rows 200000
hash:4, parent:6|bench_citus.cells|--distribute hash:4 --distribute-by parent:6
hash:8|bench_citus.cells|--distribute hash:8
hash:32|bench_citus.cells|--distribute hash:32'

sql 'set client_min_messages = warning; drop schema if exists bench_citus, bench_citus_schema cascade'
sql 'create schema bench_citus'
sql 'set citus.enable_schema_based_sharding = on; create schema bench_citus_schema'

round=1
while [ "$round" -le "$rounds" ]; do
  while IFS='|' read -r name table options; do
    sql "set client_min_messages = warning; drop table if exists $table"
    sql checkpoint
    before=$(cpu)
    began=$(date +%s.%N)
    # The machine's CPU time includes loadgrid's own time.
    # shellcheck disable=SC2086
    client=$( { TIMEFORMAT='%U %S'; time "$folder/loadgrid" load --table "$table" --ledger-schema bench_citus --progress none \
      --cell-size 1 --cols "$columns" --rows "$rows" $options >/dev/null 2>"$folder/log"; } 2>&1) || { cat "$folder/log"; exit 1; }
    ended=$(date +%s.%N)
    after=$(cpu)
    [ -n "${LOADGRID_BENCH_CONTAINERS:-}" ] || client='0 0'
    echo "$name|$before|$after|$client|$began|$ended" >>"$folder/results"
    tail -1 "$folder/results" | awk -F'|' -v n=$((columns * rows)) '{ split($4, c, " "); printf "%-28s %6.2f CPU s a million rows, %6.1f s\n", $1, (($3 - $2) / 1e6 + c[1] + c[2]) / n * 1e6, $6 - $5 }' >&2
  done <<LIST
$ways
LIST
  round=$((round + 1))
done

echo
echo "| way | CPU s a million rows | s |"
echo "|---|---|---|"
while IFS='|' read -r name _; do
  awk -F'|' -v way="$name" -v n=$((columns * rows)) '$1 == way { split($4, c, " "); printf "%f %f\n", (($3 - $2) / 1e6 + c[1] + c[2]) / n * 1e6, $6 - $5 }' "$folder/results" |
    awk -v way="$name" '
      # median sorts a list and returns its middle value.
      function median(list, n,   i, k, t) {
        for (i = 2; i <= n; i++) for (k = i; k > 1 && list[k - 1] > list[k]; k--) { t = list[k]; list[k] = list[k - 1]; list[k - 1] = t }
        return list[int((n + 1) / 2)]
      }
      { cpu[NR] = $1; s[NR] = $2 } END { printf "| %s | %.1f | %.1f |\n", way, median(cpu, NR), median(s, NR) }'
done <<LIST
$ways
LIST
sql 'set client_min_messages = warning; drop schema bench_citus, bench_citus_schema cascade'
