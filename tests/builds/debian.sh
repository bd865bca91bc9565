#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# debian.sh BUILD: the Debian packages are made from the archive of `make dist`, and lintian finds no error in them.
# debian.sh --system [--cache DIR] BUILD, as root: they also work on three fresh Debian 12 systems with systemd as PID 1, each in
# a folder with namespaces of its own, without a network: install, upgrade, watchdog, backup, purge, restore on the second one,
# the commands of README.zh-CN.md on the third one.
set -u
system=
cache=${XDG_CACHE_HOME:-$HOME/.cache}/dfota-clean
while [ $# -gt 1 ]; do
    case $1 in
    --system) system=yes ;;
    --cache) cache=$2 && shift ;;
    *) echo "debian.sh: there is no option $1" >&2 && exit 2 ;;
    esac
    shift
done
build=$(readlink -f "${1:?the build directory}")
cd "$(dirname "$(readlink -f "$0")")" || exit 1
source=$(readlink -f "$PWD/../..")
# shellcheck source=tests/builds/tap.sh
. ./tap.sh
# shellcheck source=tests/builds/machine.sh
. ./machine.sh
trap 'machines_end; rm -rf --one-file-system "$scratch"' EXIT
cd "$scratch" || exit 1

# The archive has the files of now, not those of an earlier make dist.
make_archive() {
    rm -f "$build"/dfota-*.tar.xz
    make -s -C "$build" dist && cp "$build"/dfota-*.tar.xz .
}

make_packages() {
    # Without the packages of debug symbols, to save time.
    DEB_BUILD_OPTIONS=noautodbgsym "$source/packaging/make-deb" --version 1.0-1 dfota-*.tar.xz new
}

has_no_fault() {
    lintian --allow-root --fail-on error new/*.changes
}

# Nothing beside these folders, and no file for Node.
holds_its_files() {
    dpkg-deb -c new/dfota-server_*.deb | awk '{ print $6 }' | grep -v '/$' |
        grep -vE '^\./(lib/systemd/system|usr/(bin|lib/(sysusers|tmpfiles)\.d|share/(doc/dfota-server|man/man[58])))/' && return 1
    [ "$(dpkg-deb -c new/dfota-tools_*.deb | grep -cE 'usr/bin/(dfota|dfotactl|dfota-sim)$')" = 3 ]
}

# The same packages with a lower version, for the upgrade.
make_older() {
    local deb
    mkdir old
    for deb in new/dfota-server_*.deb new/dfota-tools_*.deb; do
        rm -rf unpacked
        dpkg-deb -R "$deb" unpacked &&
            sed -i 's/\b1\.0-1\b/0.0.1-1/g' unpacked/DEBIAN/control &&
            dpkg-deb --root-owner-group -b unpacked "old/$(basename "$deb" | sed 's/1\.0-1/0.0.1-1/')" || return 1
    done
}

check "the archive" make_archive
check "the packages are made from the archive alone" make_packages
check "lintian finds no error" has_no_fault
check "the packages hold their files, and no others" holds_its_files
if [ -z "$system" ]; then
    finish
    exit
fi

#-- The machines --------------------------------------------------------------------------------------------------------

token=/var/lib/dfota/admin.token

ctl() {
    on "$1" dfotactl --token-file "$token" "${@:2}"
}

is_active() {
    on "$1" systemctl is-active --quiet "$2" || { on "$1" journalctl --no-pager -n 30 -u "$2" && return 1; }
}

# Waits until the admin listener answers.
answers() {
    for _ in $(seq 100); do
        on "$1" curl -sf -o /dev/null http://127.0.0.1:8081/healthz && return 0
        sleep 0.1
    done
    on "$1" journalctl --no-pager -n 50 -u dfotad
    return 1
}

install_in() {
    local name=$1
    shift
    cp "$@" "machines/$name/root/root/" && on "$name" sh -c 'cd /root && dpkg -i *.deb && rm -f *.deb'
}

is_installed() {
    is_active "$1" dfotad && is_active "$1" dfota-backup.timer && answers "$1"
}

has_rights() {
    on "$1" stat -c '%A %U:%G %n' /etc/dfota/dfota.conf /etc/dfota/backup.token /var/lib/dfota "$token" /var/lib/dfota/dfota.db >rights
    diff rights - <<'TEXT'
-rw-r----- root:dfota /etc/dfota/dfota.conf
-rw------- root:root /etc/dfota/backup.token
drwx------ dfota:dfota /var/lib/dfota
-rw------- dfota:dfota /var/lib/dfota/admin.token
-rw------- dfota:dfota /var/lib/dfota/dfota.db
TEXT
}

# 8080 for modules on all addresses, 8081 (1F91) for admins on 127.0.0.1 only; nothing else.
listens_as_documented() {
    on "$1" cat /proc/net/tcp /proc/net/tcp6 | awk '$4 == "0A" { print $2 }' | sort -u >sockets
    printf '%s\n' 00000000:1F90 0100007F:1F91 | diff sockets -
}

has_no_secret() {
    ! on "$1" journalctl --no-pager | grep -F -e "$(on "$1" cat "$token")" -e "$(on "$1" cat /etc/dfota/backup.token)"
}

newcomer() {
    # shellcheck disable=SC2016 # the machine expands it
    on one sh -e -c '
        echo "public_device_url = http://127.0.0.1:8080" >>/etc/dfota/dfota.conf
        systemctl restart dfotad
        cd /root
        dfota-sim --make-image 1138 --size 100000 Pump_V1138.bin
        dfota-sim --make-image 1162 --size 100000 Pump_V1162.bin' &&
        ctl one product add "Village pumps" --key pumps &&
        ctl one image upload /root/Pump_V1138.bin /root/Pump_V1162.bin &&
        ctl one target set Pump 1162 &&
        sim one --imei 866597071234569 &&
        ctl one device link 866597071234577 --firmware Pump --version 1138 >linked && grep -o -m 1 'http://[^ ]*' linked >link.txt
}

# A module goes from 1138 to 1162.
sim() {
    on "$1" dfota-sim --url http://127.0.0.1:8080 --product-key pumps --firmware Pump --image /root/Pump_V1138.bin \
        --until idle --expect 1162 --interval 0.1 "${@:2}"
}

# The link gives a package, which makes 1162 of 1138.
link_works() {
    on "$1" dfota-sim --link "$(cat link.txt)" --image /root/Pump_V1138.bin --firmware Pump --asks 1 --expect 1162 --interval 0.1
}

is_upgraded() {
    # shellcheck disable=SC2016 # dpkg-query expands it
    [ "$(on one dpkg-query -W -f '${Version}\n' dfota-server)" = 1.0-1 ] && is_installed one && has_rights one &&
        ctl one device show 866597071234569 | grep -w 1162 && has_no_failed_unit one
}

has_no_failed_unit() {
    on "$1" systemctl --failed --no-legend | tee failed
    [ ! -s failed ]
}

main_pid() {
    on "$1" systemctl show -P MainPID dfotad
}

# The server lives while it reports; a stopped process is replaced.
is_watched() {
    local first
    on one sh -e -c 'mkdir -p /run/systemd/system/dfotad.service.d
        printf "[Service]\nWatchdogSec=8\n" >/run/systemd/system/dfotad.service.d/test.conf
        systemctl daemon-reload && systemctl restart dfotad' && answers one || return 1
    first=$(main_pid one)
    sleep 12
    [ "$(main_pid one)" = "$first" ] || { echo "restarted while it was alive" && return 1; }
    on one sh -c "kill -STOP $first" # procps is not there
    for _ in $(seq 30); do
        sleep 1
        [ "$(main_pid one)" = "$first" ] || break
    done
    on one journalctl --no-pager -u dfotad | grep -i watchdog && answers one
}

backs_up() {
    on one systemctl start dfota-backup.service && ctl one backup /root/backup &&
        on one sh -c 'ls -d /var/lib/dfota-backup/*Z && dfotad --fsck=/root/backup'
}

restore() {
    cp -a backup "machines/two/root/root/backup" &&
        cp Pump_V1138.bin machines/two/root/root/ &&
        on two sh -e -c '
            systemctl stop dfotad
            mkdir /root/replaced
            find /var/lib/dfota/ -mindepth 1 -maxdepth 1 -exec mv -t /root/replaced {} +
            dfotad --data-dir /var/lib/dfota --restore=/root/backup
            cp /root/backup/*Z/dfota.conf /etc/dfota/dfota.conf
            systemctl start dfotad' && answers two && cp admin.token machines/two/root/root/
}

# The backup token of the second machine is not in the restored database: --init says so, and makes another one.
renews_backup_token() {
    on two systemctl stop dfotad
    on two dfotad --init && return 1
    on two sh -e -c 'rm /etc/dfota/backup.token && dfotad --init && systemctl start dfotad' && answers two &&
        on two systemctl start dfota-backup.service
}

is_purged() {
    on two dpkg --purge dfota-server dfota-tools || return 1
    on two test ! -e /etc/dfota && on two test ! -e /lib/systemd/system/dfotad.service && on two test -f /var/lib/dfota/dfota.db &&
        ! on two systemctl is-active dfotad
}

# The data of the purged package are used again, by an installation without packages.
installs_by_make() {
    make -s -C "$build" install DESTDIR="$scratch/machines/two/root" prefix=/usr/local >/dev/null || return 1
    on two sh -e -c '
        systemd-sysusers
        systemd-tmpfiles --create dfota.conf
        dfotad --init --config /etc/dfota/dfota.conf
        systemctl daemon-reload
        systemctl enable --now dfotad dfota-backup.timer' && is_installed two &&
        on two systemctl show -P ExecStart dfotad | grep -F /usr/local/bin/dfotad
}

# The commands of a README from `apt install` to the confirmed module, as a newcomer types them. What goes without the packages is left out.
commands_of() {
    awk '/^## / { section++ }
        section == 3 || section == 4 { if (more || /^    [$] /) { print substr($0, more ? 5 : 7) } more = (more || /^    [$] /) && /\\$/ }' "$1" |
        grep -vE '^(\./run|packaging/make-deb|export PATH=)'
}

# README.zh-CN.md alone leads from the packages to a confirmed module. The link is the one that the server makes, not that of the page.
newcomer_reads() {
    local deb machine=machines/$1/root
    mkdir "$machine/root/packages" && echo '127.0.0.1 fota.example' >>"$machine/etc/hosts" || return 1
    for deb in new/dfota-server_*.deb new/dfota-tools_*.deb; do
        cp "$deb" "$machine/root/packages/$(basename "$deb" | sed 's/_[^_]*_/_0.1.0-1_/')"
    done
    # shellcheck disable=SC2016 # the machine expands it
    {
        echo 'set -eu
            exec 2>&1
            cd /root
            PS4="+ \$SECONDS s: "
            set -x
            is_there() { for _ in $(seq 100); do curl -sf -o /dev/null http://127.0.0.1:8081/healthz && return; sleep 0.1; done; }
            upgrade() {
                key=$(grep -o -m 1 "/d/[a-z2-7]*" linked | cut -c 4-)
                dfota-sim --link "http://fota.example:8080/d/$key/1138" --image AirM2M_780E_V1138_LTE_AT.binpkg --until 1162 --interval 0.2 \
                    --know 1138=AirM2M_780E_V1138_LTE_AT.binpkg --know 1162=AirM2M_780E_V1162_LTE_AT.binpkg
            }'
        commands_of "$2" | sed -E -e 's#^apt #&-y #' -e 's#^systemctl restart.*#&; is_there#' -e 's#^dfotactl device link .*#& >linked; upgrade#' \
            -e 's#/d/[a-z2-7]{26}/#/d/$key/#'
    } >"$machine/root/read.sh"
    on "$1" bash /root/read.sh >readout || { cat readout && return 1; }
    cat readout
    grep -q '"confirmed_version":"1162"' readout && grep -q 'has confirmed version 1162' readout
}

check "older packages, for the upgrade" make_older
check "a machine" machine_start one "$cache"
check "the packages are installed" install_in one old/*.deb
check "the service and the backup timer run" is_installed one
check "files have their owners and modes" has_rights one
check "only the two documented ports are open" listens_as_documented one
check "upload, link, upgrade of a module" newcomer
check "an upgrade of the packages" install_in one new/*.deb
check "the new version runs with the data of the old one" is_upgraded
check "the watchdog" is_watched
check "backups, by the unit and by hand" backs_up
check "no secret is in the journal" has_no_secret one
cp -a machines/one/root/root/backup backup
cp machines/one/root/root/Pump_V1138.bin .
cp machines/one/root/var/lib/dfota/admin.token .
check "the machine is destroyed" machine_destroy one
check "a second machine" machine_start two "$cache"
check "the packages are installed there" install_in two new/*.deb
check "restore" restore
check "the same link works" link_works two
check "a new token for its backups" renews_backup_token
check "no unit has failed" has_no_failed_unit two
check "purge keeps the data" is_purged
check "make install, with the data that were kept" installs_by_make
check "a third machine" machine_start three "$cache"
check "README.zh-CN.md leads from the packages to a confirmed module" newcomer_reads three "$source/README.zh-CN.md"
finish
