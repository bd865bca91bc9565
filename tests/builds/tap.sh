# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# For the scripts of this folder, which source this file: each command is a test, and the output is TAP.
# shellcheck shell=bash

scratch=$(mktemp -d "${TMPDIR:-/tmp}/dfota-builds-XXXXXX")
server=
done_tests=0
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$scratch"' EXIT

# verdict STATUS NAME: prints the result, and $scratch/said after a failure.
verdict() {
    done_tests=$((done_tests + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $done_tests - $2"
    else
        echo "not ok $done_tests - $2"
        tail -n 60 "$scratch/said" | sed 's/^/# /'
    fi
}

# expect STATUS NAME COMMAND...: the command must exit with this status.
expect() {
    local wanted=$1 name=$2 status=0
    shift 2
    "$@" >"$scratch/said" 2>&1 </dev/null || status=$?
    echo "exit status $status, not $wanted: $*" >>"$scratch/said"
    verdict "$((status == wanted ? 0 : 1))" "$name"
}

# check NAME COMMAND...
check() {
    local name=$1
    shift
    expect 0 "$name" "$@"
}

# start_server PROGRAM: starts a server on free ports and temporary data, and sets the environment for dfotactl.
start_server() {
    local log=$scratch/log rounds=0
    "$1" --data-dir "$scratch/data" --device-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 2>"$log" &
    server=$!
    until [ "$(grep -c event=listening "$log")" -ge 2 ]; do
        rounds=$((rounds + 1))
        if ! kill -0 "$server" 2>/dev/null || [ "$rounds" -gt 600 ]; then
            sed 's/^/# /' "$log"
            exit 1
        fi
        sleep 0.1
    done
    DEVICE_URL=http://$(sed -n 's/.*listener=device .*address=\([^ ]*\).*/\1/p' "$log")
    DFOTA_URL=http://$(sed -n 's/.*listener=admin .*address=\([^ ]*\).*/\1/p' "$log")
    DFOTA_TOKEN=$(cat "$scratch/data/admin.token")
    export DEVICE_URL DFOTA_URL DFOTA_TOKEN
}

stop_server() {
    kill "$server"
    wait "$server"
    local status=$?
    server=
    return "$status"
}

finish() {
    echo "1..$done_tests"
}
