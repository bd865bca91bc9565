#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# dist.sh BUILD: the archive of `make dist` builds, passes its tests, installs, and can make the archive again.
set -u
build=$(readlink -f "${1:?the build directory}")
cd "$(dirname "$(readlink -f "$0")")" || exit 1
source=$PWD/../..
# shellcheck source=tests/builds/tap.sh
. ./tap.sh
cd "$scratch" || exit 1

# Every file of the repository is in the archive, except the files that only a checkout needs.
is_whole() {
    tar -tf "$build"/dfota-*.tar.xz | sed -n 's|^[^/]*/\(.*[^/]\)$|\1|p' | sort >packed
    git -C "$source" ls-files | grep -Ev '^(\.gitignore|\.gitattributes)$' | sort >kept
    comm -13 packed kept >missing
    sed 's/^/not packed: /' missing
    [ ! -s missing ]
}

check "make distcheck" make -s -C "$build" distcheck -j"$(nproc)"
if git -C "$source" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    check "the archive holds every file" is_whole
fi
finish
