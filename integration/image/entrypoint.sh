#!/bin/bash
# Entry point of the tests' PostGIS image. It implements the interface of the official PostgreSQL image,
# as far as loadgrid's tests and docker-compose.yml use it:
#
#   POSTGRES_PASSWORD, POSTGRES_USER, POSTGRES_DB, POSTGRES_INITDB_ARGS, each also as NAME_FILE;
#   POSTGRES_HOST_AUTH_METHOD, POSTGRES_INITDB_WALDIR, PGDATA, TZ;
#   *.sh, *.sql and *.sql.gz in /docker-entrypoint-initdb.d run once, in a new database, in the
#   order of their names; the command may be `postgres -c NAME=VALUE` or only options; any other command
#   runs unchanged. The server runs as user postgres and is process 1, so it gets the engine's signals.
set -euo pipefail

say() { printf '%s\n' "entrypoint: $*" >&2; }
die() { say "$*"; exit 1; }

# Sets and exports a variable to its own value, the content of the file that NAME_FILE names, or the
# default.
setting() {
  local name=$1 default=${2:-} file=${1}_FILE value
  if [ -n "${!name:-}" ] && [ -n "${!file:-}" ]; then
    die "$name and $file are both set: set one"
  fi
  value=${!name:-$default}
  if [ -n "${!file:-}" ]; then
    [ -r "${!file}" ] || die "$file: cannot read ${!file}"
    value=$(<"${!file}")
  fi
  export "$name=$value"
  unset "$file"
}

# True for a command that only prints something and needs no database.
only_prints() {
  local arg
  for arg; do
    case $arg in -\? | --help | --version | -V | --describe-config | -C) return 0 ;; esac
  done
  return 1
}

# As root: gives the directories to the server's user, and continues as that user.
become_postgres() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA"
  chmod 3775 /var/run/postgresql
  find "$PGDATA" /var/run/postgresql \! -user postgres -exec chown postgres:postgres {} +
  if [ -n "${POSTGRES_INITDB_WALDIR:-}" ]; then
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    chmod 700 "$POSTGRES_INITDB_WALDIR"
    chown -R postgres:postgres "$POSTGRES_INITDB_WALDIR"
  fi
  HOME=/var/lib/postgresql exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
}

check_password() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    die "no superuser password: set POSTGRES_PASSWORD (-e POSTGRES_PASSWORD=...), or let everybody in" \
      "with POSTGRES_HOST_AUTH_METHOD=trust"
  fi
}

create_cluster() {
  local args=()
  # The variable is shell text: it may quote a value with a space.
  eval "args=($POSTGRES_INITDB_ARGS)"
  [ -z "${POSTGRES_INITDB_WALDIR:-}" ] || args+=(--waldir "$POSTGRES_INITDB_WALDIR")
  initdb --no-sync --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${args[@]}"

  local method=${POSTGRES_HOST_AUTH_METHOD:-}
  [ -n "$method" ] || method=$(postgres -C password_encryption -D "$PGDATA")
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"
}

create_database() {
  [ "$POSTGRES_DB" != postgres ] || return 0
  psql -v ON_ERROR_STOP=1 -v name="$POSTGRES_DB" --quiet --username "$POSTGRES_USER" --dbname postgres \
    <<<'create database :"name"'
}

run_scripts() {
  local file psql=(psql -v ON_ERROR_STOP=1 --no-password --no-psqlrc --username "$POSTGRES_USER" --dbname "$POSTGRES_DB")
  for file in /docker-entrypoint-initdb.d/*; do
    case $file in
      *.sh)
        say "running $file"
        # A script that is not executable runs in this shell.
        # shellcheck disable=SC1090
        if [ -x "$file" ]; then "$file"; else . "$file"; fi
        ;;
      *.sql) say "running $file"; "${psql[@]}" -f "$file" ;;
      *.sql.gz) say "running $file"; gunzip -c "$file" | "${psql[@]}" ;;
      *) [ ! -e "$file" ] || say "ignoring $file: it is not .sh, .sql or .sql.gz" ;;
    esac
  done
}

# Creates the cluster, and fills it through a server that listens only on the socket: nobody can connect
# by TCP before it is complete.
first_start() {
  check_password
  create_cluster
  export PGPASSWORD=${PGPASSWORD:-$POSTGRES_PASSWORD}
  [ "${1:-}" != postgres ] || shift
  # A crash before the end means starting over, so data is forced to disk only at the end.
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -w start \
    -o "$(printf '%q ' "$@" -c listen_addresses= -c fsync=off -c full_page_writes=off -p "${PGPORT:-5432}")"
  create_database
  run_scripts
  PGUSER=$POSTGRES_USER pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGPASSWORD
  case " $POSTGRES_INITDB_ARGS " in
    *' -N '* | *' --no-sync '* | *' --nosync '*) ;;
    *) initdb --sync-only -D "$PGDATA" ;;
  esac
  say 'PostgreSQL init process complete; ready for start up.'
}

main() {
  case ${1:-postgres} in -*) set -- postgres "$@" ;; esac
  if [ "${1:-}" != postgres ] || only_prints "$@"; then
    exec "$@"
  fi
  export PGDATA=${PGDATA:-/var/lib/postgresql/data}
  [ "$(id -u)" != 0 ] || become_postgres "$@"

  setting POSTGRES_PASSWORD
  setting POSTGRES_USER postgres
  setting POSTGRES_DB "$POSTGRES_USER"
  setting POSTGRES_INITDB_ARGS
  mkdir -p "$PGDATA"
  if [ -s "$PGDATA/PG_VERSION" ]; then
    say "$PGDATA contains a database already: not initialised again"
  else
    first_start "$@"
  fi
  exec "$@"
}

main "$@"
