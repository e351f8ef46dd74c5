#!/bin/sh
# Runs loadgrid's demo on a machine that needs only this program. It first installs
# Debian's packages if no database is named, PostgreSQL with PostGIS is not installed, and
# no container is available.
#
#   sh scripts/demo.sh PROGRAM [FLAG...]
set -eu

program=$1
shift
install=$(dirname "$0")/install-postgis.sh
public=postgis/postgis:17-3.5 local=loadgrid-postgis:local # as in internal/container

# Runs a command with a limit in seconds, if the system can limit it.
bounded() {
  seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout "$seconds" "$@"; else "$@"; fi
}

# True if an engine has an image of PostGIS, or a registry provides it within five minutes.
container() {
  for engine in docker podman; do
    bounded 15 "$engine" info >/dev/null 2>&1 || continue
    for image in "${LOADGRID_POSTGIS_IMAGE:-$local}" "${LOADGRID_POSTGIS_IMAGE:-$public}"; do
      if "$engine" image inspect "$image" >/dev/null 2>&1; then return; fi
    done

    echo "fetching ${LOADGRID_POSTGIS_IMAGE:-$public}" >&2
    bounded 300 "$engine" pull -q "${LOADGRID_POSTGIS_IMAGE:-$public}" >/dev/null 2>&1
    return
  done

  return 1
}

# On other systems, the demo says what to install.
if [ -z "${LOADGRID_DSN:-}${LOADGRID_PG_BINDIR:-}" ] && command -v apt-get >/dev/null &&
  ! sh "$install" --check && ! container; then
  sh "$install"
fi

exec "$program" demo "$@"
