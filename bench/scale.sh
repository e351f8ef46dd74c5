#!/bin/bash
# Loads a large grid in partitions, and prints the plan of `loadgrid plan`, the measured load, and the
# times of queries. docs/scale.md has the figures.
#
#   LOADGRID_DSN         a server whose database you can fill
#   LOADGRID_BENCH_DISK  a folder on the server's disk, if the server runs on this machine. The script
#                        first checks the disk's free space
#
#   bench/scale.sh [CELLS [PARTITIONS [INDEX [GEOMETRY...]]]]
#
# The defaults are 100,000,000 cells in 32 partitions with BRIN, as polygons and as points. CELLS is the
# square of a whole number.
set -euo pipefail
: "${LOADGRID_DSN:?set it to a server}"
cells=${1:-100000000} partitions=${2:-32} index=${3:-brin}
shift $(($# < 3 ? $# : 3))
[ $# -gt 0 ] || set -- polygon point
side=$(awk -v n="$cells" 'BEGIN { printf "%.0f\n", sqrt(n) }')

cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
go build -o "$folder/loadgrid" ./cmd/loadgrid

sql() { psql -qtA -v ON_ERROR_STOP=1 "$LOADGRID_DSN" -c "$1"; }

# query NAME CONDITION prints the milliseconds to plan and execute a count, as the median over nine places,
# in one session: for the first query at each place, and for the second, when the pages are in the server's
# memory. An extra query first warms up the session.
query() {
  {
    for place in 1 3 11 17 23 31 41 47 59 71 3 11 17 23 31 41 47 59 71; do
      echo "explain (analyze, costs off, timing off) select count(*) from bench_scale.cells where ${2//\$place/$place};"
    done
  } | psql -qtA -v ON_ERROR_STOP=1 "$LOADGRID_DSN" | awk -v name="$1" '
    # median returns the median of the nine numbers from list[first] on.
    function median(list, first,   i, k, t) {
      for (i = first + 1; i < first + 9; i++) for (k = i; k > first && list[k - 1] > list[k]; k--) { t = list[k]; list[k] = list[k - 1]; list[k - 1] = t }
      return list[first + 4]
    }
    /^Planning Time/ { t = $3 } /^Execution Time/ { ms[n++] = t + $3 }
    END { printf "%s: first %.1f ms, again %.1f ms\n", name, median(ms, 1), median(ms, 10) }'
}

# The heap, its indexes and the WAL of a load of polygons, and half as much again.
need=$((cells * 525 / 1000000000))
if [ -n "${LOADGRID_BENCH_DISK:-}" ]; then
  free=$(df -B1000000000 --output=avail "$LOADGRID_BENCH_DISK" | tail -1 | tr -d ' ')
  [ "$free" -ge "$need" ] || { echo "scale: the load needs $need GB, but the disk of $LOADGRID_BENCH_DISK has only $free GB free" >&2; exit 1; }
fi

sql 'set client_min_messages = warning; create schema if not exists bench_scale'

for geometry in "$@"; do
  job="--table bench_scale.cells --ledger-schema bench_scale --cell-size 100 --cols $side --rows $side --srid 3035
    --origin 3000000,2000000 --partitions $partitions --index $index --geometry $geometry"
  sql 'set client_min_messages = warning; drop table if exists bench_scale.cells'
  sql checkpoint

  printf '\n== %s: plan\n' "$geometry"
  # $job is a list of options.
  # shellcheck disable=SC2086
  "$folder/loadgrid" plan $job

  printf '\n== %s: measured\n' "$geometry"
  before=$(sql 'select pg_current_wal_insert_lsn()')
  began=$(date +%s.%N)
  # shellcheck disable=SC2086
  /usr/bin/env time -f 'client %M kB at most, %U + %S CPU s' "$folder/loadgrid" load $job --progress none
  ended=$(date +%s.%N)
  wal=$(sql "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$before')")
  awk -v a="$began" -v b="$ended" -v n="$cells" 'BEGIN { printf "time %.1f s, %.2f million rows/s\n", b - a, n / (b - a) / 1e6 }'
  sql "select 'heap ' || round(sum(pg_table_size(inhrelid)) / 1e9, 2) || ' GB, indexes ' || round(sum(pg_indexes_size(inhrelid)) / 1e9, 2) || ' GB, WAL ' || round($wal / 1e9, 2) || ' GB'
    from pg_inherits where inhparent = 'bench_scale.cells'::regclass"
  sql "select 'rows ' || count(*) from bench_scale.cells"

  query "the key" "cell_id = \$place * 1000003"
  for n in 10 100 1000; do
    query "a window of $n x $n cells" \
      "geom && st_makeenvelope(3000000 + 100 * (\$place % 97 * $((side / 100))) + 50, 2000000 + 100 * (\$place % 89 * $((side / 100))) + 50, 3000000 + 100 * (\$place % 97 * $((side / 100)) + $n) - 50, 2000000 + 100 * (\$place % 89 * $((side / 100)) + $n) - 50, 3035)"
  done
done

sql 'set client_min_messages = warning; drop schema bench_scale cascade'
