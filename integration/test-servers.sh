#!/bin/sh
# Runs integration tests on the servers in integration/servers, one after another.
#
#   integration/test-servers.sh chosen   the tests of integration/servers_tests.txt
#   integration/test-servers.sh all      every test of the package
#   integration/test-servers.sh images   no test: only gets the images, all in parallel
#
# The version on which `make test` runs everything is left out, with a message. The tests run without the
# race detector: races are in the program and not in the server, `make test` looks for them, and these
# tests would take three times as long. SERVERS='13 18' selects versions.
set -eu
cd "$(dirname "$0")/.."
what=${1:?usage: integration/test-servers.sh chosen|all|images}

say() { printf 'test-servers: %s\n' "$*" >&2; }

versions() {
  list=$(sed -n 's/^\([0-9][0-9]*\) .*/\1/p' integration/servers)
  for version in ${SERVERS:-$list}; do
    printf '%s\n' "$list" | grep -qx "$version" || { say "PostgreSQL $version is not in integration/servers"; exit 1; }
    printf '%s\n' "$version"
  done
}

# Prints the version of PostgreSQL in the image that `make test` uses, or nothing if it uses no image.
version_of_make_test() (
  setup=$(sh integration/setup.sh)
  eval "$setup"
  [ "$LOADGRID_TEST_SERVER" = container ] || exit 0
  docker run --rm "$LOADGRID_TEST_IMAGE" postgres --version | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p'
)

# Gets all images in parallel. The output of a build is shown when it has ended.
images() {
  logs=$(mktemp -d)
  trap 'rm -rf "$logs"' EXIT
  trap 'exit 130' INT TERM
  for version in $list; do
    (sh integration/setup.sh "$version" >"$logs/$version" 2>&1 || touch "$logs/$version.failed") &
  done
  wait

  failed=
  for version in $list; do
    sed "s/^/PostgreSQL $version: /" "$logs/$version" >&2
    [ ! -e "$logs/$version.failed" ] || failed="$failed $version"
  done
  [ -z "$failed" ] || { say "no image of PostgreSQL$failed: see above"; exit 1; }
}

# Prints a pattern for go test -run.
pattern() {
  case $what in
    all) echo . ;;
    *) sed 's/#.*//' integration/servers_tests.txt | tr -s ' \n' '|' | sed 's/^|*\(.*[^|]\)|*$/^(\1)$/' ;;
  esac
}

list=$(versions)
short=
case $what in
  images)
    images
    exit
    ;;
  chosen) short=-short ;;
  all) ;;
  *) say "$what: want chosen, all or images"; exit 1 ;;
esac

done_by_make_test=$(version_of_make_test)
failed=
for version in $list; do
  if [ "$version" = "$done_by_make_test" ]; then
    say "PostgreSQL $version is left out: make test runs everything on it"
    continue
  fi

  say "PostgreSQL $version"
  if ! setup=$(sh integration/setup.sh "$version"); then
    failed="$failed $version"
    continue
  fi
  (
    eval "$setup"
    go run ./integration/testreport -count 1 -timeout 60m $short -run "$(pattern)" ./integration
  ) || failed="$failed $version"
done
[ -z "$failed" ] || { say "tests have failed on PostgreSQL$failed"; exit 1; }
