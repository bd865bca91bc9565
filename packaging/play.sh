# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# The play of ./run: six simulated modules go from V1138 over V1147 to V1162, on a server with temporary data. run sources this file.
# shellcheck shell=bash

play_firmware=AirM2M_780E_LTE_AT
play_children=() # process ids
play_scratch=
play_build=
play_began=

# Ends the server and the modules of the play, and removes their data.
end_play() {
    local child
    for child in ${play_children[@]+"${play_children[@]}"}; do
        kill "$child" 2>/dev/null || true
    done
    for child in ${play_children[@]+"${play_children[@]}"}; do
        wait "$child" 2>/dev/null || true
    done
    play_children=()
    [ -z "$play_scratch" ] || rm -rf "$play_scratch"
}

# Prints a command as a person would type it.
print_command() {
    local word line='$'
    for word; do
        case $word in
        *' '*) word="\"$word\"" ;;
        esac
        if [ $((${#line} + ${#word} + 3)) -gt 80 ]; then
            printf '%s \\\n' "$line"
            line='     '
        fi
        line="$line $word"
    done
    printf '%s\n' "$line"
}

# Prints a command, runs it, and prints its output in lines of 80 columns.
show() {
    printf '\n'
    print_command "$@"
    (set -o pipefail && "$@" 2>&1 | fold -s -w 80)
}

# Prints a command, and runs it without its output.
show_command() {
    printf '\n'
    print_command "$@"
    "$@" >/dev/null
}

# address LISTENER LOG: the address of a listener, from the log of dfotad.
address() {
    sed -n "s/.*event=listening .*listener=$1 .*address=\([^ ]*\).*/\1/p" "$2"
}

await_listening() {
    local server=$1 log=$2 rounds=0
    until [ -n "$(address device "$log")" ] && [ -n "$(address admin "$log")" ]; do
        rounds=$((rounds + 1))
        if ! kill -0 "$server" 2>/dev/null || [ "$rounds" -gt 300 ]; then
            cat "$log" >&2
            die "dfotad did not start"
        fi
        sleep 0.1
    done
}

# Turns the steps of dfota-sim into lines: what each module did, and each answer that differs from the one before.
tell_steps() {
    local device rest now last
    local -A version=() told=()
    while read -r device rest; do
        now=$((SECONDS - play_began))
        case $rest in
        'modules: '*) continue ;; # the summary
        'asks from '*) version[$device]=${rest#asks from } && continue ;;
        '→ 27 '*) last='27, nothing to do' ;;
        '→ 43 '*) last='43, please wait' ;;
        '→ 200, '*) last="200, a package of ${rest#→ 200, }" ;;
        'reboots into '*) last="applied V${version[$device]-}→V${rest#reboots into }, restarts" ;;
        '100 %'* | 'applied: '* | 'ends at '*': reached') continue ;;
        *) last=$rest ;;
        esac
        case $rest in
        '→ '*) last="V${version[$device]-} confirmed; told $last" ;;
        esac
        [ "${told[$device]-}" != "$last" ] || continue
        told[$device]=$last
        printf '%3d s  %s  %s\n' "$now" "$device" "$last"
    done
}

start_play_server() {
    local url
    dfotad --data-dir data --device-listen 127.0.0.1:0 --admin-listen 127.0.0.1:0 --idle-effort none \
        --max-bytes-per-second 200000 --max-transfers 3 2>log &
    play_children+=($!)
    await_listening $! log
    DFOTA_URL=http://$(address admin log)
    DFOTA_TOKEN=$(cat data/admin.token)
    export DFOTA_URL DFOTA_TOKEN
    unset DFOTA_PRODUCT DFOTA_BY
    say "A server on temporary data. Open this URL now, and watch. It logs in once:"
    url=$(dfotactl console)
    printf '\n%s\n\n' "$url"
    # shellcheck disable=SC2016 # the text is printed as it is
    printf '%s\n' 'For commands in another terminal:' "export PATH=$play_build:\$PATH DFOTA_URL=$DFOTA_URL" \
        "export DFOTA_TOKEN=\$(cat $PWD/data/admin.token)"
}

upload_images() {
    local version
    say "Three generated images; six modules in the field run V1138"
    for version in 1138 1147 1162; do
        dfota-sim --make-image $version "AirM2M_780E_V${version}_LTE_AT.binpkg" >/dev/null
    done
    dfotactl product add "Village pumps" --key pumps >/dev/null
    show dfotactl image upload AirM2M_780E_V{1138,1147,1162}_LTE_AT.binpkg
    show_command dfotactl firmware set $play_firmware --format ec618-at
    cat >pumps.csv <<'CSV'
device,note
866597071234569,"Pump 1, beside the office"
866597071234577,"Pump 2, school"
866597071234585,"Pump 3, market"
866597071234593,"Pump 4, mill"
866597071234601,"Pump 5, north well"
866597071234619,"Pump 6, south well"
CSV
    dfotactl device import pumps.csv >/dev/null 2>&1
}

# The modules ask every three seconds instead of once a day.
start_modules() {
    local version known=()
    for version in 1138 1147 1162; do
        known+=(--know "$version=AirM2M_780E_V${version}_LTE_AT.binpkg")
    done
    mkfifo steps
    dfota-sim --url "http://$(address device log)" --product-key pumps --firmware $play_firmware \
        --image AirM2M_780E_V1138_LTE_AT.binpkg "${known[@]}" --imei 866597071234569 --count 6 --dialect at \
        --interval 3 --asks 200 --until 1162 >steps &
    play_modules=$!
    tell_steps <steps &
    play_teller=$!
    play_children+=("$play_modules" "$play_teller")
}

# The status of package make --wait is 4 for a package over the limit.
await_packages() {
    local pair
    for pair in "1138 1147" "1147 1162" "1138 1162"; do
        # shellcheck disable=SC2086 # two words
        dfotactl package make $play_firmware $pair --wait >/dev/null 2>&1 || [ $? -eq 4 ]
    done
}

sum_up() {
    local confirmed
    confirmed=$(dfotactl campaign devices $play_firmware spring --outcome confirmed --csv | tail -n +2)
    [ "$(wc -l <<<"$confirmed")" -eq 6 ] || die "not all modules confirmed V1162"
    show dfotactl device list
    say "The story is over after $((SECONDS - play_began)) s"
    cat <<TEXT
6 of 6 devices confirmed V1162, each over V1147. The canary was first.
The console of the story stays at $DFOTA_URL/console/
until Ctrl-C. Then its data are removed.
TEXT
}

# Sets play_children: the server of the play still runs afterwards. The caller calls end_play.
play() {
    play_scratch=$(mktemp -d "${TMPDIR:-/tmp}/dfota-play-XXXXXX")
    play_build=$PWD/build
    PATH=$play_build:$PATH
    cd "$play_scratch" || die "no $play_scratch"
    play_began=$SECONDS
    start_play_server
    upload_images
    start_modules
    await_packages
    say "The direct package is over the limit of 480 KB. Two packages fit"
    show dfotactl matrix $play_firmware
    show dfotactl path 1138 1162
    say "A campaign to V1162: one canary, then the rest"
    show_command dfotactl campaign create $play_firmware spring 1162 --devices pumps.csv --stage 1 --stage all \
        --by "Li Wei" 2>/dev/null
    show_command dfotactl campaign start $play_firmware spring --by "Li Wei"
    echo
    wait "$play_modules" || die "a module did not reach V1162"
    wait "$play_teller"
    sum_up
}
