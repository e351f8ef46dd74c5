#!/bin/sh
# Installs PostgreSQL with PostGIS from the packages of Debian or Ubuntu, as root or through
# sudo, unless it is installed already. It neither creates nor starts a server for the whole
# machine, and leaves only the packages. With --check, it installs nothing, and fails if
# nothing is installed.
#
# Every path begins with $ROOT, which is empty except in tests.
set -eu
umask 022 # everybody can read the package's folders, whatever the user's umask

ROOT=${ROOT:-}
config=$ROOT/etc/postgresql-common/createcluster.conf
saved=$config.before-loadgrid
dropins=$ROOT/etc/postgresql-common/createcluster.d
dropin=$dropins/zz-loadgrid.conf
policy=$ROOT/usr/sbin/policy-rc.d
mark='Written by loadgrid for the time of one installation; remove it if none is running.'

say() { printf 'install-postgis: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

installed() {
  for control in "$ROOT"/usr/share/postgresql/*/extension/postgis.control; do
    version=${control#"$ROOT"/usr/share/postgresql/}
    if [ -e "$control" ] && [ -x "$ROOT/usr/lib/postgresql/${version%%/*}/bin/postgres" ]; then return; fi
  done
  return 1
}

# Runs the rest of the script as root.
become_root() {
  command -v sudo >/dev/null || die 'installing packages needs root: call as root, or install sudo'
  sudo -n true 2>/dev/null || has_terminal ||
    die 'installing packages needs root: sudo asks for a password, but there is no terminal to ask on'
  exec sudo env ROOT="$ROOT" sh "$0" --as-root
}

has_terminal() { (: </dev/tty) 2>/dev/null; }

# Debian's server configurations, and the servers that run with one.
clusters() {
  for cluster in "$ROOT"/etc/postgresql/*/*; do
    if [ -e "$cluster" ]; then echo "the cluster $cluster"; fi
  done
  for process in "$ROOT"/proc/[0-9]*/cmdline; do
    # This is how Debian starts a server; its children have other titles.
    { tr '\0' '\n' <"$process" | sed -n 's|^config_file=/etc/postgresql/|a running server of /etc/postgresql/|p'; } 2>/dev/null || :
  done
}

# Runs a program, and shows the end of its output if it fails.
quietly() {
  if "$@" >"$work/log" 2>&1; then return; else status=$?; fi
  say "$1 failed with exit status $status; its output:"
  tail -n 20 "$work/log" >&2
  exit 1
}

# Asks nothing, keeps existing configuration files, and waits for another apt-get. The
# downloads stay out of apt's cache, because hooks in container images may empty it between
# two calls.
apt() {
  quietly env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C.UTF-8 TMPDIR="$work/tmp" \
    apt-get -q -y -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-confdef \
    -o "Dir::Cache::archives=$work/archives" "$@"
}

# Updates the lists of packages. It waits up to a minute for another program that does so: apt-get
# itself waits only for one that installs.
update() {
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do
    (apt update) 2>"$work/trouble" && return
    grep -q 'Could not get lock' "$work/log" || break
    sleep 5
  done
  cat "$work/trouble" >&2
  exit 1
}

# Chooses the packages to install: for the newest installed PostgreSQL that has a PostGIS
# package, or else the distribution's default.
choose_packages() {
  list=$(apt-cache --names-only search '^postgresql-[0-9]+-postgis-3$|^postgresql-postgis$')
  majors=$(printf '%s\n' "$list" | sed -n 's/^postgresql-\([0-9]*\)-postgis-3 .*/\1/p' | sort -rn)
  [ -n "$majors" ] || die 'apt knows no package postgresql-<version>-postgis-3: check the sources of apt'

  chosen=
  for major in $majors; do
    if [ -x "$ROOT/usr/lib/postgresql/$major/bin/postgres" ]; then chosen=$major; break; fi
  done
  if [ -z "$chosen" ] && printf '%s\n' "$list" | grep -q '^postgresql-postgis '; then
    packages=postgresql-postgis
    return
  fi

  : "${chosen:=$(printf '%s\n' "$majors" | head -n 1)}"
  packages="postgresql-$chosen-postgis-3 postgresql-$chosen-postgis-3-scripts"
}

main_cluster_is_off() {
  [ "$(pg_conftool "$config" show -bs create_main_cluster 2>/dev/null)" = off ]
}

# Debian's postgresql package creates and starts a cluster "main", unless
# create_main_cluster is off before the package is configured. Services must not start
# either, such as a cluster that an earlier installation left. If the machine has a
# policy of its own, that one applies.
prevent_servers() {
  if [ ! -d "$dropins" ]; then
    mkdir -p "$dropins"
    made_dropins=yes
  fi
  printf '# %s\ncreate_main_cluster = false\n' "$mark" >"$dropin"
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
    chmod 755 "$policy"
  fi

  # postgresql-common installs the configuration and creates no cluster.
  if [ ! -x "$ROOT/usr/bin/pg_conftool" ]; then apt install --no-install-recommends postgresql-common; fi
  main_cluster_is_off && return

  # Older versions do not read the folder, or the file overrides it.
  cp -p "$config" "$saved"
  printf '\ncreate_main_cluster = false\n' >>"$config"
  main_cluster_is_off ||
    die "cannot keep postgresql-common from creating a cluster: $config ignores create_main_cluster = false"
}

restore() {
  rm -f "$dropin"
  # Nothing else needs the folder; if it contains more, it stays.
  if [ "$made_dropins" = yes ]; then rmdir "$dropins" 2>/dev/null || :; fi
  if [ -e "$saved" ]; then mv -f "$saved" "$config"; fi
  if grep -qsF "$mark" "$policy"; then rm -f "$policy"; fi
}

end() {
  restore
  rm -rf "$work"
}

if installed; then exit 0; fi
if [ "${1:-}" = --check ]; then exit 1; fi
for tool in apt-get dpkg; do
  command -v "$tool" >/dev/null || die "no packages can be installed: there is no $tool, this is neither Debian nor Ubuntu"
done
if [ "${1:-}" != --as-root ] && [ "$(id -u)" != 0 ]; then become_root; fi

made_dropins=no
# Not TMPDIR: apt's own user must have access, and the packages' scripts fail if
# the path contains a space.
work=$(mktemp -d "$ROOT/var/tmp/loadgrid-apt-XXXXXX")
trap end EXIT
trap 'exit 130' INT
trap 'exit 129' HUP
trap 'exit 143' TERM
restore # removes what a killed installation may have left
mkdir "$work/archives" "$work/tmp"
chmod 755 "$work" "$work/archives" # apt downloads and verifies as a user of its own
chmod 1777 "$work/tmp"
before=$(clusters)

say 'apt-get update ...'
update
choose_packages
say "apt-get install --no-install-recommends $packages ... (a minute or two)"
# shellcheck disable=SC2086 # several packages
apt install --no-install-recommends --no-upgrade --download-only postgresql-common $packages

# Ctrl-C and the end of the terminal must not interrupt dpkg. TERM takes effect when
# apt-get has finished.
trap '' INT HUP
prevent_servers
# shellcheck disable=SC2086 # several packages
apt install --no-install-recommends $packages

clusters | while read -r cluster; do
  printf '%s\n' "$before" | grep -qxF "$cluster" ||
    die "the installation created $cluster, which it should not have done: pg_dropcluster removes a cluster"
done
