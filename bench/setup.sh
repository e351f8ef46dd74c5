#!/bin/sh
# Installs PostgreSQL with PostGIS, if there is none, and the peers of the benchmark, from Debian's packages, as root or through
# sudo. It skips packages that it cannot install: the benchmark names the peers that it could not run.
set -eu

packages='gdal-bin python3-shapely python3-psycopg python3-psycopg2 python3-geopandas python3-geoalchemy2'

say() { printf 'bench: %s\n' "$*" >&2; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

sh "$(dirname "$0")/../scripts/install-postgis.sh"

missing=
for package in $packages; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get >/dev/null; then
  say "there is no apt-get to install these with:$missing"
  exit 0
fi
say "installing$missing"
as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2 || exit 0
for package in $missing; do
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    install --no-install-recommends "$package" >/dev/null ||
    say "$package cannot be installed"
done
