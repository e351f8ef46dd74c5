#!/bin/sh
# Installs what `make test-maps` needs from the packages of Debian, as root or through sudo: QGIS for Python, GDAL, psql,
# Leaflet, a headless Chromium and fonts. Unlike bench/setup.sh it fails if a package cannot be installed.
set -eu

packages='python3-qgis python3-psycopg2 gdal-bin libjs-leaflet postgresql-client chromium-headless-shell fonts-dejavu-core'

say() { printf 'maps: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

command -v dpkg-query >/dev/null || die "there is no dpkg: make test-maps needs these packages of Debian: $packages"

missing=
for package in $packages; do
  # dpkg-query fails for a package that it has never seen.
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

[ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "installing packages needs root: run 'apt-get install$missing' as root"
say "installing$missing ... (up to 430 MB to download, 1.8 GB on the disk)"
as_root apt-get -q -o DPkg::Lock::Timeout=300 update >&2
# shellcheck disable=SC2086 # several packages
as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
  install --no-install-recommends $missing >/dev/null || die "apt-get cannot install$missing"
