#!/bin/sh
# Runs go vet and go test -c for each platform of a release, without running the tests. On Windows, it leaves out the
# packages that start servers and shells in the Unix way: they are only for developing loadgrid.
set -eu
cd "$(dirname "$0")/.."

for system in linux darwin windows; do
  packages=./...
  if [ "$system" = windows ]; then
    packages=$(go list ./... | grep -v -E '/(integration|scripts|bench)(/|$)')
  fi

  for arch in amd64 arm64; do
    export GOOS="$system" GOARCH="$arch" CGO_ENABLED=0
    # shellcheck disable=SC2086 # a list of packages
    go vet $packages
    go test -c -o /dev/null $packages
    echo "$system/$arch compiles, with its tests"
  done
done
