#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# installed.sh BUILD: the files of `make install` are complete, hardened, and run from their place.
set -u
build=$(readlink -f "${1:?the build directory}")
cd "$(dirname "$(readlink -f "$0")")" || exit 1
# shellcheck source=tests/builds/tap.sh
. ./tap.sh
cd "$scratch" || exit 1
root=$scratch/root
programs=(dfota dfotactl dfota-sim dfotad)

is_hardened() {
    local program=$1
    readelf -hldW "$program" >elf || return 1
    readelf -W --dyn-syms "$program" >symbols || return 1
    grep -q 'Type: *DYN' elf || { echo "no position independent executable" && return 1; }
    grep -q 'GNU_RELRO' elf || { echo "no RELRO" && return 1; }
    grep -Eq 'BIND_NOW|Flags:.* NOW' elf || { echo "bound lazily" && return 1; }
    grep -Eq 'GNU_STACK.* RW ' elf || { echo "the stack is executable" && return 1; }
    grep -q '__stack_chk_fail' symbols || { echo "no stack protector" && return 1; }
    grep -Eq '__[a-z]+_chk' symbols || { echo "nothing fortified" && return 1; }
    ! grep -E 'RPATH|RUNPATH' elf
}

# Exactly these files are installed, each at the usual place of a distribution.
is_whole() {
    (cd "$root/usr" && find . -type f | sort) >files
    {
        printf './bin/%s\n' "${programs[@]}"
        printf './share/man/man1/%s.1\n' dfota dfotactl dfota-sim
        printf './share/man/man%s\n' 8/dfotad.8 5/dfota.conf.5
        printf './share/doc/dfota/%s\n' README.md NEWS dfota.conf.sample
        printf './share/doc/dfota/examples/%s\n' fail2ban/dfotad.filter fail2ban/dfotad.jail nginx/dfota.conf \
            haproxy/dfota.cfg prometheus/dfota.rules.yml prometheus/prometheus.yml grafana/dfota.json luatos.lua mqtt-bridge.py poll.py \
            host/{at,host}.{c,h} host/posix.c
        printf './share/%s\n' bash-completion/completions/dfotactl fish/vendor_completions.d/dfotactl.fish \
            zsh/site-functions/_dfotactl
        printf './lib/systemd/system/%s\n' dfotad.service dfota-backup.service dfota-backup.timer
        printf './lib/%s.d/dfota.conf\n' sysusers tmpfiles
    } | sort >expected
    comm -13 files expected >missing
    grep -v '^./share/doc/dfota/.*\.md$' files | comm -23 - expected >foreign
    sed 's/^/missing: /' missing
    sed 's/^/not expected: /' foreign
    [ ! -s missing ] && [ ! -s foreign ]
}

is_documented() {
    local page
    for page in "$root"/usr/share/man/man*/*; do
        LC_ALL=C.UTF-8 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>&1 >/dev/null | grep . && return 1
    done
    return 0
}

main_job() {
    local bin=$root/usr/bin
    start_server "$bin/dfotad" &&
        "$bin/dfota-sim" --make-image 1138 --size 100000 Pump_V1138.bin &&
        "$bin/dfota-sim" --make-image 1162 --size 100000 Pump_V1162.bin &&
        "$bin/dfotactl" product add "Village pumps" --key pumps &&
        "$bin/dfotactl" image upload Pump_V1138.bin Pump_V1162.bin &&
        "$bin/dfotactl" target set Pump 1162 &&
        "$bin/dfota-sim" --url "$DEVICE_URL" --product-key pumps --firmware Pump --image Pump_V1138.bin \
            --imei 866597071234569 --until idle --expect 1162 --interval 0.1 &&
        stop_server
}

# The units name the installed programs, also after an installation elsewhere.
names_its_programs() {
    make -s -C "$build" install prefix=/opt/dfota sysconfdir=/opt/etc DESTDIR="$scratch/opt" >/dev/null || return 1
    grep -h '^\(Exec\|LoadCredential\)' "$scratch"/opt/opt/dfota/lib/systemd/system/*.service >lines
    grep -E '/usr/|@' lines && return 1
    [ "$(grep -c '/opt/dfota/bin/dfotad --config /opt/etc/dfota/dfota.conf' lines)" = 3 ] &&
        grep -q '^ExecStart=/opt/dfota/bin/dfotactl' lines && grep -q '/opt/etc/dfota/backup.token' lines
}

# is_confined UNIT: systemd rates how much a fault in the service could do, from 0 to 10.
is_confined() {
    systemd-analyze security --no-pager --offline=true --threshold=15 "$root/usr/lib/systemd/system/$1" >rating ||
        { grep -v '✓' rating && return 1; }
}

# The unit has no key that systemd does not know. The programs of the unit are not on this machine.
is_understood() {
    systemd-analyze verify --man=no --recursive-errors=no "$root/usr/lib/systemd/system/$1" 2>&1 |
        grep -vE 'is not executable|Unit .* not found' | grep .
    [ "${PIPESTATUS[2]}" = 1 ]
}

# --init, the start, and each file with its mode.
starts_after_init() {
    local config=$scratch/init/etc/dfota.conf
    mkdir -p "$scratch/init" && mkdir -m 700 "$scratch/init/data"
    "$root/usr/bin/dfotad" --init --config "$config" --data-dir "$scratch/init/data" || return 1
    (cd "$scratch/init" && stat -c '%a %n' etc/* data data/admin.token data/dfota.db) >modes
    printf '%s\n' '600 etc/backup.token' '640 etc/dfota.conf' '700 data' '600 data/admin.token' '600 data/dfota.db' | diff modes - &&
        grep -qx "data_dir = $scratch/init/data" "$config" && "$root/usr/bin/dfotad" --check-config --config "$config"
}

in_build() {
    make -s -C "$build" "$@" prefix=/usr DESTDIR="$root"
}

check "make install" in_build install
check "all files are installed, and no others" is_whole
for program in "${programs[@]}"; do
    check "$program is hardened" is_hardened "$root/usr/bin/$program"
    check "$program runs" "$root/usr/bin/$program" --help
done
check "the installed sample is a configuration" "$root/usr/bin/dfotad" --check-config \
    --config "$root/usr/share/doc/dfota/dfota.conf.sample"
check "the installed programs upgrade a module" main_job
check "dfotad --init makes what the service needs" starts_after_init
if [ -d "$root/usr/lib/systemd" ]; then
    check "the units name the programs of this installation" names_its_programs
    for unit in dfotad.service dfota-backup.service; do
        check "$unit is understood" is_understood "$unit"
        check "$unit is confined" is_confined "$unit"
    done
fi
if command -v man >/dev/null; then
    check "the manuals are well-formed" is_documented
fi
check "make uninstall" in_build uninstall
check "nothing remains" test -z "$(find "$root" -type f)"
finish
