# Installs the packages given as arguments, as root, and keeps Debian's
# postgresql package from creating and starting a server for the whole machine:
# it makes a cluster "main" unless create_main_cluster is off before the package
# is configured. Whatever is changed for that is put back at the end, also when
# the installation fails. $APT_OPTIONS are options for apt-get, $ARCHIVES is the
# folder of the downloads; $ROOT stands before every path (empty, but for tests).
set -eu
umask 022 # the package's folders are everybody's to read, whoever makes them

config=$ROOT/etc/postgresql-common/createcluster.conf
saved=$config.before-loadgrid
folder=$ROOT/etc/postgresql-common/createcluster.d
dropin=$folder/zz-loadgrid.conf
policy=$ROOT/usr/sbin/policy-rc.d
mark='Written by loadgrid for the time of one installation; remove it if none is running.'

install() {
    # shellcheck disable=SC2086 # several options
    apt-get -q -y $APT_OPTIONS -o "Dir::Cache::archives=$ARCHIVES" install --no-install-recommends "$@"
}

main_cluster_is_off() {
    [ "$(pg_conftool "$config" show -bs create_main_cluster 2>/dev/null)" = off ]
}

restore() {
    rm -f "$dropin"
    # Nobody else keeps the folder; where it holds more, it stays.
    if [ "$made_folder" = yes ]; then rmdir "$folder" 2>/dev/null || :; fi
    if [ -e "$saved" ]; then mv -f "$saved" "$config"; fi
    if grep -qsF "$mark" "$policy"; then rm -f "$policy"; fi
}

# Ctrl-C and the end of the terminal must not reach dpkg in the middle.
trap '' INT HUP
made_folder=no
restore # what a killed installation may have left
trap restore EXIT
trap 'exit 143' TERM # takes effect when apt-get has finished

if [ ! -d "$folder" ]; then
    mkdir -p "$folder"
    made_folder=yes
fi
printf '# %s\ncreate_main_cluster = false\n' "$mark" > "$dropin"
# No service may start either, such as a cluster that an earlier installation
# left. Where the machine has a policy of its own, that one holds.
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" > "$policy"
    chmod 755 "$policy"
fi

# postgresql-common brings the configuration and creates nothing.
if [ ! -x "$ROOT/usr/bin/pg_conftool" ]; then install postgresql-common; fi
if ! main_cluster_is_off; then
    # Older versions do not read the folder, or the file overrules it.
    cp -p "$config" "$saved"
    printf '\ncreate_main_cluster = false\n' >> "$config"
fi
if ! main_cluster_is_off; then
    echo "cannot keep postgresql-common from creating a cluster: $config does not take create_main_cluster = false" >&2
    exit 1
fi
install "$@"
