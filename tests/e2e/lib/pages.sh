# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the hidden commands of a page can call (doc/testing.md). A shell in namespaces of its own reads this file: the ports, /etc, /srv
# and /var/lib are those of the page alone.

DFOTA_PAGE_LOG=$PWD/.dfotad.log

# start_server OPTION...: as a service of Debian would, and waits until it listens. Only packages that are needed are made, with the
# first effort: the sizes are the same on every machine.
start_server() {
    setpriv --pdeathsig KILL dfotad --data-dir /var/lib/dfota --device-listen 0.0.0.0:8080 --admin-listen 127.0.0.1:8081 \
        --public-device-url http://fota.example:8080 --matrix needed --idle-effort none "$@" 2>>"$DFOTA_PAGE_LOG" &
    DFOTA_PAGE_SERVER=$!
    until [ "$(grep -c 'event=listening' "$DFOTA_PAGE_LOG")" -ge 2 ]; do
        kill -0 "$DFOTA_PAGE_SERVER" 2>/dev/null || { cat "$DFOTA_PAGE_LOG" && return 1; }
        sleep 0.02
    done
    export DFOTA_URL=http://127.0.0.1:8081
    [ -n "${DFOTA_TOKEN-}" ] || DFOTA_TOKEN=$(cat /var/lib/dfota/admin.token)
    export DFOTA_TOKEN
}

stop_server() {
    kill "$DFOTA_PAGE_SERVER" && wait "$DFOTA_PAGE_SERVER"
    : >"$DFOTA_PAGE_LOG"
}

# Another server, without any data.
fresh_server() {
    stop_server
    rm -rf /var/lib/dfota
    unset DFOTA_TOKEN
    start_server
}

pidof() {
    echo "$DFOTA_PAGE_SERVER"
}

# systemd is not process 1 in a test: what the documents ask of it. tests/builds/debian.sh --system has the real one.
systemctl() {
    case "$*" in
    "stop dfotad") stop_server ;;
    "start dfotad") start_server ;;
    "restart dfotad") stop_server && start_server ;;
    "status dfotad") kill -0 "$DFOTA_PAGE_SERVER" ;;
    "start dfota-backup") mkdir -p /var/lib/dfota-backup && dfotactl backup --keep 14 /var/lib/dfota-backup ;;
    *) echo "systemctl $*: not known here" && return 1 ;;
    esac
}

journalctl() {
    cat "$DFOTA_PAGE_LOG"
}

# pass SECONDS: from now on all clocks are ahead by this time more. The server starts again, because it looks at the time once a minute.
pass() {
    local now
    now=$(cat "$DFOTA_CLOCK")
    echo $((now + $1 * 1000)) >"$DFOTA_CLOCK.new" && mv "$DFOTA_CLOCK.new" "$DFOTA_CLOCK"
    stop_server
    start_server
}

# fall_silent DEVICE: the time to wait for a report is over for this device. The server measures it while it runs, so `pass` does not end it.
fall_silent() {
    stop_server
    start_server --silent-after-ms 1000
    until dfotactl device show "$1" | grep -q ' silent '; do sleep 0.1; done
    stop_server
    start_server
}

# make_image VERSION...: generated images, in files as the vendor names them. `size` is that of one of three parts.
make_image() {
    local version
    for version; do
        dfota-sim --make-image "$version" --size "${size-12000}" "AirM2M_780E_V${version}_LTE_AT.binpkg"
    done
}

# The scene `images`: a product, three images, and the packages between them.
make_scene() {
    [ -e AirM2M_780E_V1138_LTE_AT.binpkg ] || make_image 1138 1147 1162
    dfotactl product add "Village pumps" --key pumps
    dfotactl image upload AirM2M_780E_V{1138,1147,1162}_LTE_AT.binpkg
    dfotactl firmware set AirM2M_780E_LTE_AT --format ec618-at
    dfotactl package make AirM2M_780E_LTE_AT 1138 1147 --wait
    dfotactl package make AirM2M_780E_LTE_AT 1147 1162 --wait
    dfotactl package make AirM2M_780E_LTE_AT 1138 1162 --wait >/dev/null
}

# pump_list COUNT: devices with tags and notes, as CSV. The last digit of an IMEI is its check digit.
pump_list() {
    local i base sum k digit place note
    echo device,tags,note
    for ((i = 0; i < $1; i++)); do
        base=$((86659707123400 + i)) sum=0
        for ((k = 0; k < 14; k++)); do
            digit=$((${base:k:1} * (1 + k % 2)))
            sum=$((sum + digit / 10 + digit % 10))
        done
        place=$([ $((i % 3)) -eq 0 ] && echo south || echo north)
        note="Pump $((i + 1))"
        [ "$i" -gt 0 ] || place=office note="Pump 1, beside the office"
        echo "$base$(((10 - sum % 10) % 10)),$place,\"$note\""
    done
}

# field LINES ASKS OPTION...: the modules in these lines of links.csv (of sed -n) ask so often. With --report their hosts report.
# `runs` is the version that they run, if it is not that of the link.
field() {
    local lines=$1 asks=$2
    shift 2
    tail -n +2 links.csv | sed -n "$lines" | cut -d, -f1,2,4,8 | sed "s/,1138,/,${runs-1138},/" >.some.csv
    dfota-sim --links .some.csv --firmware AirM2M_780E_LTE_AT --know 1138=AirM2M_780E_V1138_LTE_AT.binpkg \
        --know 1147=AirM2M_780E_V1147_LTE_AT.binpkg --know 1162=AirM2M_780E_V1162_LTE_AT.binpkg --asks "$asks" \
        --interval 0.02 --parallel 40 -q "$@" || [ $? -eq 1 ] # not all end as wanted
    # The server sees the last acknowledgements a little later.
    until [ "$(dfotactl outcomes AirM2M_780E_LTE_AT 1162 -o json | jq '.counts.sending // 0')" = 0 ]; do sleep 0.1; done
}

# hosts_report LINES VERSION: the hosts of these modules report this version.
hosts_report() {
    tail -n +2 links.csv | sed -n "$1" | cut -d, -f8 |
        sed "s/.*/next\nurl = \"&\"\njson = \"{\\\\\"version\\\\\":\\\\\"AirM2M_780E_V$2_LTE_AT\\\\\"}\"/" | tail -n +2 >.curl
    curl -s -f -K .curl >.answers
}
