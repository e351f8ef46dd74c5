#!/bin/sh
# Prepares `go test` for `make test`, on a machine with only git, make and Go: it needs a C compiler for
# the race detector, and a source of PostGIS for the tests. If there is apt-get, it installs packages as
# root or through sudo.
#
#   integration/setup.sh [POSTGRESQL]
#
# POSTGRESQL is a version in integration/servers, such as 13, and selects its image.
#
# stdout: shell assignments, for eval. stderr: what is done and why.
#   LOADGRID_TEST_SERVER  container if a container engine answers, otherwise local. Set it to force one.
#   LOADGRID_TEST_IMAGE   the image of the container. Set it to choose another.
set -eu
cd "$(dirname "$0")/.."
exec 3>&1 1>&2 # so that only assignments reach stdout

public=postgis/postgis:17-3.5 local=loadgrid-postgis:local release=

say() { printf 'setup: %s\n' "$*"; }
die() { say "$*"; exit 1; }

# Prints an assignment that the calling shell can eval.
assign() { printf "export %s='%s'\n" "$1" "$(printf %s "$2" | sed "s/'/'\\\\''/g")" >&3; }

# Runs a command with a limit in seconds, if the system can limit it.
bounded() {
  seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout "$seconds" "$@"; else "$@"; fi
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Compiles a program that uses a header of the C library: the race detector needs both.
compiles_c() {
  # The compiler may be a command with options.
  # shellcheck disable=SC2046
  printf '#include <stdlib.h>\nint main(void) { return 0; }\n' |
    $(go env CC) -x c -o /dev/null - >/dev/null 2>&1
}

need_c_compiler() {
  compiles_c && return
  command -v apt-get >/dev/null || die "the race detector needs a C compiler, but there is none, and no apt-get to install one"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    die "the race detector needs a C compiler: run 'apt-get install gcc libc6-dev' as root"
  say 'installing gcc and libc6-dev: the race detector needs a C compiler'
  as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
    install -y -qq --no-install-recommends gcc libc6-dev >/dev/null
  compiles_c || die "gcc and libc6-dev are installed, but $(go env CC) still compiles nothing"
}

have_image() { docker image inspect --format '{{.Id}}' "$1" >/dev/null 2>&1; }

# True if the image is here, or a registry provides it within five minutes.
obtain() {
  have_image "$1" && return
  say "fetching $1"
  bounded 300 docker pull --quiet "$1" >/dev/null
}

# Sets the images of a version in integration/servers: the public one, the local one and its release.
choose_version() {
  line=$(grep "^$1 " integration/servers) || die "PostgreSQL $1 is not in integration/servers"
  # The line has three words.
  # shellcheck disable=SC2086
  set -- $line
  public=postgis/postgis:$1-$2 release=$3
  local=loadgrid-postgis:$release
}

choose_image() {
  if [ -z "$release" ] && [ -n "${LOADGRID_TEST_IMAGE:-}" ]; then
    image=$LOADGRID_TEST_IMAGE
    # An image of build.sh is brought up to date, even if it is set by name.
    if [ "$image" = "$local" ]; then
      build_image ''
    elif release=$(sed -n "s/^[0-9].* /loadgrid-postgis:/p" integration/servers | grep -Fx "$image"); then
      build_image "${release#*:}"
    else
      obtain "$image" || die "LOADGRID_TEST_IMAGE=$image is not on this machine, and cannot be fetched"
    fi
  elif have_image "$public" || { ! have_image "$local" && obtain "$public"; }; then
    image=$public
  else
    say "using $local, built from packages of ${release:-this distribution}"
    build_image "$release"
    image=$local
  fi
}

# Builds the image of a release, if it is not up to date. An empty release means this machine's.
build_image() {
  # No argument means the machine's own release.
  # shellcheck disable=SC2086
  integration/image/build.sh $1 ||
    die "no image of PostGIS: set LOADGRID_TEST_IMAGE to one on this machine, or LOADGRID_TEST_SERVER=local"
}

# Prints why no engine answers, or nothing if one does.
engine_trouble() {
  if ! command -v docker >/dev/null; then
    echo 'there is no docker command'
  elif ! trouble=$(bounded 15 docker version --format '{{.Server.Version}}' 2>&1); then
    trouble=$(printf %s "$trouble" | grep -v '^$' | tail -n 1)
    printf 'docker does not answer: %s\n' "${trouble:-no answer within 15 seconds}"
  fi
}

use_container() {
  choose_image
  say "the tests run against a container of $image"
  assign LOADGRID_TEST_SERVER container
  assign LOADGRID_TEST_IMAGE "$image"
}

use_local() {
  say "$1: the tests run against a throwaway server on this machine"
  # A server elsewhere may need no packages.
  if [ -z "${LOADGRID_PG_BINDIR:-}" ] && command -v apt-get >/dev/null; then
    sh scripts/install-postgis.sh || die 'PostGIS cannot be installed'
  fi
  assign LOADGRID_TEST_SERVER local
}

if [ -n "${1:-}" ]; then
  choose_version "$1"
  why=$(engine_trouble)
  [ -z "$why" ] || die "PostgreSQL $1 runs in a container, but $why"
  use_container
  exit
fi

need_c_compiler
case ${LOADGRID_TEST_SERVER:-} in
  local) use_local 'LOADGRID_TEST_SERVER=local' ;;
  container)
    why=$(engine_trouble)
    [ -z "$why" ] || die "LOADGRID_TEST_SERVER=container, but $why"
    use_container
    ;;
  '')
    why=$(engine_trouble)
    if [ -z "$why" ]; then use_container; else use_local "$why"; fi
    ;;
  *) die "LOADGRID_TEST_SERVER=$LOADGRID_TEST_SERVER: want container or local" ;;
esac
