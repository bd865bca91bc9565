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
    [ -n "${DFOTA_TOKEN-}" ] || export DFOTA_TOKEN="$(cat /var/lib/dfota/admin.token)"
}

stop_server() {
    kill "$DFOTA_PAGE_SERVER" && wait "$DFOTA_PAGE_SERVER"
    : >"$DFOTA_PAGE_LOG"
}

# pass SECONDS: from now on all clocks are ahead by this time more.
pass() {
    local now
    now=$(cat "$DFOTA_CLOCK")
    echo $((now + $1 * 1000)) >"$DFOTA_CLOCK.new" && mv "$DFOTA_CLOCK.new" "$DFOTA_CLOCK"
}

# make_image VERSION...: generated images, in files as the vendor names them. `size` is that of one of three parts.
make_image() {
    local version
    for version; do
        dfota-sim --make-image "$version" --size "${size-40000}" "AirM2M_780E_V${version}_LTE_AT.binpkg"
    done
}

# The scene `images`: a product, three images, and the packages between them.
make_scene() {
    make_image 1138 1147 1162
    dfotactl product add "Village pumps" --key pumps
    dfotactl image upload AirM2M_780E_V{1138,1147,1162}_LTE_AT.binpkg
    dfotactl firmware set AirM2M_780E_LTE_AT --format ec618-at
    dfotactl package make AirM2M_780E_LTE_AT 1138 1147 --wait
    dfotactl package make AirM2M_780E_LTE_AT 1147 1162 --wait
    dfotactl package make AirM2M_780E_LTE_AT 1138 1162 --wait
}
