#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# reproducible.sh: a release of the commit that is checked out, made twice, has the same bytes. Not a part of ./check: it takes
# some minutes. It needs what packaging/release needs.
set -u
cd "$(dirname "$(readlink -f "$0")")" || exit 1
source=$(readlink -f "$PWD/../..")
# shellcheck source=tests/builds/tap.sh
. ./tap.sh
cd "$scratch" || exit 1

# release NAME: in a folder of its own, with another umask and time zone for each name.
release() {
    mkdir -p "folder-of-$1"
    (umask "$2" && TZ=$3 TMPDIR="$scratch/folder-of-$1" source/packaging/release --untagged "$1")
}

is_the_same() {
    diff one/SHA256SUMS two-with-another-name/SHA256SUMS
}

is_complete() {
    (cd one && sha256sum --check --quiet SHA256SUMS && ls dfota-*.tar.xz dfota-server_*.deb dfota-tools_*.deb) &&
        python3 - one/dfota-*.cdx.json <<'PYTHON'
import json, sys
bom = json.load(open(sys.argv[1]))
names = {one["name"]: one for one in bom["components"]}
assert bom["bomFormat"] == "CycloneDX" and bom["specVersion"] == "1.5"
for name in "libsqlite3-0", "libmicrohttpd12", "libssl3", "libc6", "preact", "uplot", "uqr":
    assert names[name]["scope"] == "required" and names[name]["version"], name
assert names["vite"]["scope"] == "excluded"
PYTHON
}

# No folder of the build is in the programs.
names_no_folder() {
    local deb
    for deb in one/dfota-server_*.deb one/dfota-tools_*.deb; do
        dpkg-deb -x "$deb" unpacked || return 1
    done
    ! grep -raE 'dfota-(deb|release)-[A-Za-z0-9]{6}' unpacked
}

git clone -q --no-hardlinks "$source" source || exit 1 # both are of the same commit, whatever is committed meanwhile
check "a release" release one 022 UTC
check "the same release again" release two-with-another-name 077 Asia/Shanghai
check "both have the same bytes" is_the_same
check "archive, packages and SBOM are complete" is_complete
check "the programs name no folder of their build" names_no_folder
finish
