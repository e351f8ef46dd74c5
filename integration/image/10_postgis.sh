#!/bin/bash
# Creates PostGIS in the requested database and in a template, with the extensions that the public image
# creates: they add their schemas to the search_path, which the tests should cover. The template is a
# copy, which takes a quarter of the time. So it also contains what scripts before this one created.
set -euo pipefail

run() { psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$@"; }

run "$POSTGRES_DB" \
  -c 'create extension if not exists postgis' \
  -c 'create extension if not exists postgis_topology' \
  -c 'create extension if not exists fuzzystrmatch' \
  -c 'create extension if not exists postgis_tiger_geocoder'
run template1 -v source="$POSTGRES_DB" <<<'create database template_postgis template :"source" is_template true'
# A copy does not include the settings of the database.
run "$POSTGRES_DB" -c 'alter database template_postgis set search_path from current'
