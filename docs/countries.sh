#!/bin/sh
# Counts the cells of each country at 0.1 degrees by each rule, with loadgrid and with PostGIS, and
# prints where the two counts differ.
#
#   sh docs/countries.sh countries.geojson
#
# The file must have features in EPSG:4326, such as Natural Earth's admin_0_countries. LOADGRID_DSN
# names the database, and psql must be installed. The script creates a schema countries_check, and
# drops it at the end.
set -eu

file=$1
dsn=${LOADGRID_DSN:?set it to a database}
loadgrid=${LOADGRID:-loadgrid}
query() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$dsn" "$@"; }

query <<SQL
\\set file \`cat '$file'\`
create schema countries_check;
create table countries_check.countries as
  select n as id, case when valid then g else st_collectionextract(st_makevalid(g), 3) end as geom, valid
  from jsonb_array_elements(:'file'::jsonb -> 'features') with ordinality u (f, n),
  st_setsrid(st_geomfromgeojson(f -> 'geometry'), 4326) g, st_isvalid(g) valid;
SQL
repaired=$(query -c 'select count(*) from countries_check.countries where not valid')
countries=0 cells=0 differ=0
for id in $(query -c 'select id from countries_check.countries order by id'); do
  countries=$((countries + 1))
  # The grid is wider than the area, because ST_SquareGrid leaves out cells that touch the left edge of its bounds.
  query -c "select count(*) filter (where st_intersects(a, g)), count(*) filter (where st_covers(a, g)),
      count(*) filter (where st_intersects(a, st_setsrid(st_makepoint((st_xmin(g) + st_xmax(g)) / 2, (st_ymin(g) + st_ymax(g)) / 2), 4326)))
    from (select a, (st_squaregrid(0.1, st_expand(a, 0.1))).geom g from (select geom a from countries_check.countries where id = $id) c) s" |
    tr '|' '\n' >"${TMPDIR:-/tmp}/countries.$$"
  for rule in intersects within centroid; do
    want=$(sed -n "$(case $rule in intersects) echo 1 ;; within) echo 2 ;; centroid) echo 3 ;; esac)p" "${TMPDIR:-/tmp}/countries.$$")
    got=$("$loadgrid" plan --cell-size 0.1 --srid 4326 --aoi-rule $rule \
      --aoi-sql "select geom from countries_check.countries where id = $id" 2>&1 |
      sed -n -e 's/^rows *//p' -e 's/.*: no cell .*/0/p' | tr -d ,)
    cells=$((cells + want))
    if [ "$got" != "$want" ]; then
      differ=$((differ + 1))
      echo "country $id, $rule: loadgrid ${got:-fails}, PostGIS $want"
    fi
  done
done
rm -f "${TMPDIR:-/tmp}/countries.$$"
query -c 'drop schema countries_check cascade' 2>/dev/null
echo "$countries countries, $repaired of them repaired by ST_MakeValid, three rules, $cells cells in all: $differ counts differ"
