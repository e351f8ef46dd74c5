#!/bin/bash
# PostGIS in a template of its own and in the database that was asked for, with the extensions that
# the public image creates: they put their schemas into the search_path, and tests should meet that.
set -euo pipefail

psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres \
  -c 'create database template_postgis is_template true'

for database in template_postgis "$POSTGRES_DB"; do
  psql -v ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname "$database" \
    -c 'create extension if not exists postgis' \
    -c 'create extension if not exists postgis_topology' \
    -c 'create extension if not exists fuzzystrmatch' \
    -c 'create extension if not exists postgis_tiger_geocoder'
done
