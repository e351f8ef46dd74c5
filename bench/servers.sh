#!/bin/sh
# Compares loadgrid with SQL alone on each server of integration/servers, and writes docs/benchmarks.md
# again. Each server runs in a container of its image, with PostgreSQL's default durability. The
# connection is a socket, because the engine copies what goes through a port in another process.
#
#   bench/servers.sh [FLAGS of bench]
#
# SERVERS='13 18' chooses among the versions.
set -eu
cd "$(dirname "$0")/.."

container=
socket=$(mktemp -d)
chmod 1777 "$socket" # so that the server's user can write to it
trap '[ -z "$container" ] || docker rm -f "$container" >/dev/null; rm -rf "$socket"' EXIT
trap 'exit 130' INT TERM

for version in ${SERVERS:-$(sed -n 's/^\([0-9][0-9]*\) .*/\1/p' integration/servers)}; do
  setup=$(sh integration/setup.sh "$version")
  eval "$setup"
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  container=$(POSTGRES_PASSWORD=$password docker run -d -e POSTGRES_PASSWORD -e POSTGRES_USER=bench -e POSTGRES_DB=bench \
    --shm-size 1g --network none -v "$socket:/var/run/postgresql" "$LOADGRID_TEST_IMAGE" postgres)

  # The entry point starts the server twice, the first time without TCP.
  tries=0
  until docker exec "$container" pg_isready -q -h 127.0.0.1 -U bench; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || { docker logs "$container" >&2; exit 1; }
    sleep 1
  done

  LOADGRID_DSN="postgres://bench:$password@/bench?host=$socket" go run ./bench -server "$version" "$@"
  docker rm -f "$container" >/dev/null
  container=
done
