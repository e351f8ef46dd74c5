#!/bin/bash
# Builds the PostGIS image of the tests from Debian's packages, for machines that can reach a package
# mirror but no image registry. It implements the interface of the public postgis/postgis image, as far
# as entrypoint.sh describes.
#
#   integration/image/build.sh [SUITE]
#
# SUITE is a release such as trixie, which determines the versions of PostgreSQL and PostGIS
# (integration/servers has a list). The image is loadgrid-postgis:SUITE. SUITE defaults to the machine's
# own release, whose image is also called loadgrid-postgis:local. The machine's keyrings must contain
# the keys of the release: signatures are always checked.
#
# The script does nothing if the image was built from the present files. It needs a container engine,
# apt-get, and root or sudo. It uses the machine's own mirror. Images of several releases may be built
# at the same time.
set -euo pipefail

readonly LABEL=io.github.loadgrid.image-sources
# shellcheck source=/dev/null
CODENAME=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
readonly CODENAME
readonly SUITE=${1:-$CODENAME}
readonly TAG=loadgrid-postgis:$SUITE OWN=loadgrid-postgis:local
here=$(cd "$(dirname "$0")" && pwd)
readonly here

say() { printf '%s\n' "image of ${SUITE:-an unknown release}: $*" >&2; }
die() { say "$*"; exit 1; }

sudo=()
work=
builder=
base=

# Ends the running stage and removes temporary files and images, however the script ends.
cleanup() {
  trap '' INT TERM HUP
  if [ -n "$builder" ]; then
    # mmdebstrap has a session of its own, so signals from the terminal do not reach it.
    "${sudo[@]}" kill -TERM -- "-$builder" 2>/dev/null || true
    wait "$builder" 2>/dev/null || true
  fi
  [ -z "$base" ] || docker image rm "$base" >/dev/null 2>&1 || true
  [ -z "$work" ] || "${sudo[@]}" rm -rf --one-file-system "$work"
}

# Prints one hash of all files that go into the image, and of the packages' release.
sources_hash() {
  (cd "$here" && sha256sum build.sh Dockerfile entrypoint.sh 10_postgis.sh && release) |
    sha256sum | cut -d' ' -f1
}

# shellcheck source=/dev/null
release() { (. /etc/os-release && printf '%s %s\n' "$ID" "$SUITE"); }

image_hash() {
  docker image inspect --format "{{index .Config.Labels \"$LABEL\"}}" "$TAG" 2>/dev/null || true
}

# Adds the second name of the machine's own release, which the demo and the tests look for.
name_own() {
  [ "$SUITE" != "$CODENAME" ] || docker image tag "$TAG" "$OWN"
}

need_root() {
  [ "$(id -u)" = 0 ] && return
  command -v sudo >/dev/null || die "cannot build $TAG: not root, and there is no sudo"
  sudo=(sudo)
}

# Updates the lists of packages. It waits up to a minute for another program that does so: apt-get
# itself waits only for one that installs.
update_lists() {
  local trouble try
  for try in {1..12}; do
    trouble=$("${sudo[@]}" env LC_ALL=C apt-get update -qq 2>&1) && return
    [[ $trouble == *'Could not get lock'* ]] || break
    say "waiting for another apt-get, $try"
    sleep 5
  done
  printf '%s\n' "$trouble" >&2
  die "apt-get update failed"
}

install_mmdebstrap() {
  command -v apt-get >/dev/null || die "no apt-get here: $TAG is built on Debian and its derivatives only;" \
    "set LOADGRID_TEST_IMAGE to an image with PostGIS"
  command -v mmdebstrap >/dev/null && [ -n "$(own_sources)" ] && return
  # Several builds may run this at the same time.
  exec 8<"$here/build.sh"
  flock 8
  if command -v mmdebstrap >/dev/null && [ -n "$(own_sources)" ]; then
    exec 8<&-
    return
  fi
  say "installing mmdebstrap"
  update_lists
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends mmdebstrap >/dev/null
  exec 8<&-
}

# Prints the machine's own package sources of its distribution: mirror, release, component, and the
# codename of the release. It leaves out third-party repositories, whose packages are not the
# distribution's.
own_sources() {
  # The parentheses are apt's, not the shell's.
  # shellcheck disable=SC2016
  apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(SITE) $(RELEASE) $(COMPONENT) $(CODENAME)' |
    sed -nE 's/^Packages\|(Debian|Ubuntu|Raspbian)\|//p' | sort -u
}

# Prints the lines of sources.list for the requested release. Another release is on the same mirror under
# its own codename: trixie-updates if the machine has bookworm-updates. Missing ones are left out: sid,
# for example, has no updates and no security.
sources() {
  local site release component codename trouble
  own_sources | while read -r site release component codename; do
    if [ "$SUITE" != "$CODENAME" ]; then
      case $codename in
        "$CODENAME" | "$CODENAME"-*) release=$SUITE${codename#"$CODENAME"} ;;
        *) continue ;;
      esac
      if ! trouble=$(fetch_release "$site" "$release" 2>&1); then
        say "left out $release of $site: $(printf '%s' "$trouble" | grep -v '^W:' | tail -n 2 | head -n 1)"
        continue
      fi
    fi
    printf 'deb %s %s %s\n' "$site" "$release" "$component"
  done
}

# Fails if a mirror does not have a release.
fetch_release() {
  /usr/lib/apt/apt-helper download-file "$1/dists/$2/InRelease" "$work/InRelease" </dev/null
}

# Prints how the machine's apt reaches its mirror: proxies, certificates, retries, and whether it checks
# the dates of the mirror's lists.
apt_reach() {
  apt-config dump | grep -E '^Acquire::(http|https|ftp|Retries|Check-Valid-Until|Check-Date)(::|\b)' | grep -v ' "";$' || true
}

# Writes the root file system as a tar file, without files that a test server never reads.
bootstrap() {
  local hooks=$work/hooks
  mkdir "$hooks"
  cat >"$hooks/before" <<'HOOK'
#!/bin/sh
# Adds the official image's numeric user before a package adds another one, and prevents a Debian cluster.
set -eu
echo 'postgres:x:999:999:PostgreSQL:/var/lib/postgresql:/bin/bash' >>"$1/etc/passwd"
echo 'postgres:x:999:' >>"$1/etc/group"
mkdir -p "$1/etc/postgresql-common"
echo 'create_main_cluster = false' >"$1/etc/postgresql-common/createcluster.conf"
HOOK
  cat >"$hooks/after" <<'HOOK'
#!/bin/sh
# Nothing in the image may name the mirror of the building machine.
set -eu
rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/etc/apt/apt.conf.d/99mmdebstrap \
  "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/* "$1"/var/cache/debconf/*-old
HOOK
  chmod +x "$hooks/before" "$hooks/after"
  sources >"$work/sources.list"
  grep -q " $SUITE " "$work/sources.list" || die "apt has no package source for it on this machine"
  apt_reach >"$work/apt.conf"

  # If mmdebstrap fails, it signals its whole process group, so it gets a session of its own.
  "${sudo[@]}" env TMPDIR="$work" setsid -w mmdebstrap --quiet --variant=minbase --format=tar \
    --include=postgresql-postgis,postgresql-postgis-scripts,tzdata \
    --aptopt='APT::Install-Recommends "false"' --aptopt="$work/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --dpkgopt='path-exclude=/usr/lib/*/libLLVM*' --dpkgopt='path-exclude=/usr/lib/llvm-*' \
    --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/llvmjit*' \
    --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' \
    --essential-hook="$hooks/before" --customize-hook="$hooks/after" \
    "$SUITE" "$work/root.tar" - \
    <"$work/sources.list" >"$work/mmdebstrap.log" 2>&1 &
  builder=$!
  if ! wait "$builder"; then
    builder=
    tail -n 40 "$work/mmdebstrap.log" >&2
    if grep -q NO_PUBKEY "$work/mmdebstrap.log"; then
      die "a key of the release is missing: install a newer archive keyring, such as debian-archive-keyring"
    fi
    die "mmdebstrap failed: the end of its output is above"
  fi
  builder=
}

# Adds the last layer. Without buildx, the classic builder does it; both read the same Dockerfile.
layer() {
  local buildkit=1
  docker buildx version >/dev/null 2>&1 || buildkit=0
  # Without --pull, because the base exists only here and not in a registry.
  DOCKER_BUILDKIT=$buildkit docker build --build-arg BASE="$base" --label "$LABEL=$1" --tag "$TAG" \
    "$here" >"$work/build.log" 2>&1 || { tail -n 30 "$work/build.log" >&2; die "docker build failed"; }
}

main() {
  docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || die "no container engine answers to docker"
  [ -n "$SUITE" ] || die "the release of this system is unknown: name one"
  # Two builds of one image would do the same work twice. The lock file stays: removing it would break
  # the lock for processes that wait for it.
  exec 9>>"${TMPDIR:-/tmp}/loadgrid-image-$SUITE-$(id -u).lock"
  flock 9
  local want old
  want=$(sources_hash)
  if [ "$(image_hash)" = "$want" ]; then
    name_own
    return
  fi

  trap cleanup EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  need_root
  install_mmdebstrap
  say "building $TAG from the packages of $(release); this takes two to five minutes"
  work=$(mktemp -d "${TMPDIR:-/tmp}/loadgrid-image.XXXXXX")
  bootstrap
  old=$(docker image inspect --format '{{.Id}}' "$TAG" 2>/dev/null || true)
  base=loadgrid-postgis-base:$$-$(date +%s)
  "${sudo[@]}" cat "$work/root.tar" | docker import - "$base" >/dev/null
  layer "$want"
  name_own
  # Removes the image that had the tag before, unless a container still uses it.
  [ -z "$old" ] || docker image rm "$old" >/dev/null 2>&1 || true
  say "$TAG is ready, $(docker image inspect --format '{{.Size}}' "$TAG" | awk '{printf "%d MB", $1 / 1e6}')"
}

main
