#!/bin/sh
# Makes the artifacts of PLATFORMS (linux/amd64 by default) twice, and fails if they differ in any byte. The second build
# compiles everything again, in another directory, time zone and locale, and with another umask.
set -eu
cd "$(dirname "$0")/../.."
platforms=${PLATFORMS:-linux/amd64}
version=${VERSION:-$(git describe --tags --always --dirty)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir "$work/a directory of another name"
git ls-files -z --cached | tar -c --null -T - | tar -x -C "$work/a directory of another name"

go run ./scripts/dist -version "$version" -only "$platforms" -out "$work/first"
(
  cd "$work/a directory of another name"
  umask 077
  export TZ=Asia/Kathmandu LC_ALL=C
  go run ./scripts/dist -version "$version" -only "$platforms" -out "$work/second" -rebuild
)

diff "$work/first/SHA256SUMS" "$work/second/SHA256SUMS"
(cd "$work/first" && sha256sum --check --quiet SHA256SUMS)
(cd "$work/second" && sha256sum --check --quiet SHA256SUMS)

for package in "$work"/first/*.deb; do
  [ -e "$package" ] || continue
  if command -v lintian >/dev/null; then
    lintian --allow-root --fail-on error "$package"
  else
    echo "NOT CHECKED: there is no lintian to check $(basename "$package")"
  fi
done

cat "$work/first/SHA256SUMS"
echo "both builds produced the same bytes"
