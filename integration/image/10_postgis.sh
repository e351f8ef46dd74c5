#!/bin/bash
# PostGIS in the database that was asked for and in a template of its own, with the extensions that the
# public image creates: they put their schemas into the search_path, and tests should meet that. The
# template is a copy, which takes a quarter of the time; so it also holds what a script with a name
# before this one's made.
set -euo pipefail

run() { psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$@"; }

run "$POSTGRES_DB" \
  -c 'create extension if not exists postgis' \
  -c 'create extension if not exists postgis_topology' \
  -c 'create extension if not exists fuzzystrmatch' \
  -c 'create extension if not exists postgis_tiger_geocoder'
run template1 -v source="$POSTGRES_DB" <<<'create database template_postgis template :"source" is_template true'
# A copy does not get the settings of the database.
run "$POSTGRES_DB" -c 'alter database template_postgis set search_path from current'
