#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# valgrind.sh BUILD: runs the tools under valgrind, with right and wrong arguments. No bad read and no leak is allowed.
set -u
build=$(readlink -f "${1:?the build directory}")
cd "$(dirname "$(readlink -f "$0")")" || exit 1
# shellcheck source=tests/builds/tap.sh
. ./tap.sh
cd "$scratch" || exit 1

# In glibc the checked memmove() and memcpy() are one function. Valgrind takes it for memcpy().
cat >suppressions <<'TEXT'
{
   a checked memmove
   Memcheck:Overlap
   fun:__memcpy_chk
   fun:memmove
}
TEXT

# tool STATUS NAME PROGRAM ARGUMENT...: the status is 99 when valgrind reports an error.
tool() {
    local status=$1 name=$2 program=$3
    shift 3
    expect "$status" "$program: $name" valgrind -q --suppressions=suppressions --leak-check=full --error-exitcode=99 \
        --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible \
        "$build/$program" "$@"
}

printf nothing >none
head -c 40000 /dev/zero >zeros

for program in dfota dfotactl dfota-sim dfotad; do
    tool 0 --help "$program" --help
    tool 2 "unknown option" "$program" --no-such-option
done

tool 0 "makes an image" dfota-sim --make-image 1138 --size 150000 Pump_V1138.bin
tool 0 "makes another" dfota-sim --make-image 1162 --size 150000 Pump_V1162.bin
tool 0 diff dfota diff Pump_V1138.bin Pump_V1162.bin package
tool 0 patch dfota patch Pump_V1138.bin package out
check "dfota: the patched image is the new one" cmp out Pump_V1162.bin
tool 0 verify dfota verify Pump_V1138.bin package Pump_V1162.bin
tool 1 "verify against another image" dfota verify Pump_V1138.bin package Pump_V1138.bin
tool 1 "patch of another image" dfota patch --expect-new "$(printf '0%.0s' {1..64})" zeros package out2
tool 5 "patch with what is no package" dfota patch Pump_V1138.bin none out2
head -c 500 package >short
tool 1 "patch with a package that is cut off" dfota patch Pump_V1138.bin short out2
tool 1 "an image that is too large" dfota diff --max-image 1000 Pump_V1138.bin Pump_V1162.bin out2
tool 3 "a file that is not there" dfota diff nowhere Pump_V1162.bin out2
: >empty
tool 0 "diff of an empty image" dfota diff empty zeros package2
tool 0 "patch of an empty image" dfota patch empty package2 out3

tool 0 "prints its configuration" dfotad --print-config
sed -n '/^== /!p' said | grep -v '^exit status' >conf
tool 0 "checks it" dfotad --check-config --config conf
echo 'nothing = 1' >conf
tool 2 "refuses another" dfotad --check-config --config conf

start_server "$build/dfotad"
tool 0 "adds a product" dfotactl product add "Village pumps" --key pumps
tool 0 "uploads" dfotactl image upload Pump_V1138.bin Pump_V1162.bin
tool 0 "sets a target" dfotactl target set Pump 1162
tool 0 "makes a package and waits for it" dfotactl package make Pump 1138 1162 --wait
tool 0 "downloads it" dfotactl package get Pump 1138 1162 package3
check "dfotactl: what it downloaded is the package" cmp package package3
tool 0 "makes a link" dfotactl device link 866597071234569 --firmware Pump --version 1138
tool 0 "shows the state as JSON" dfotactl status -o json
tool 1 "is refused" dfotactl target set Pump 9999
tool 1 "has another's token" dfotactl --token wrong status
tool 3 "finds no server" dfotactl --url http://127.0.0.1:1 status
tool 0 "a module upgrades" dfota-sim --url "$DEVICE_URL" --product-key pumps --firmware Pump --image Pump_V1138.bin \
    --imei 866597071234569 --until idle --expect 1162 --interval 0.1
tool 0 "lists devices" dfotactl device list
check "dfotad ends cleanly" stop_server
finish
