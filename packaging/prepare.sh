# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# For run and check, which source it: Debian packages and builds. The caller has set -eu and stands in the source folder.
# shellcheck shell=bash

# shellcheck disable=SC2034 # used there
build_packages=(gcc make autoconf automake pkg-config libc6-dev libmicrohttpd-dev libjansson-dev libsqlite3-dev libssl-dev
    libcurl4-openssl-dev libinih-dev libdivsufsort-dev libbz2-dev libmagic-dev libsystemd-dev)

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

say() {
    printf '\n== %s\n' "$*"
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "packages must be installed, and there is no sudo. As root: apt-get install ${missing[*]}"
    fi
}

# Installs those of the named Debian packages that are not there.
install_packages() {
    command -v dpkg-query >/dev/null || die "this is no Debian: install what README.md names, then see --help"
    missing=()
    local name
    for name; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing ${missing[*]}"
    local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    as_root "${apt[@]}" update </dev/null
    as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
}

# Runs a command and shows what it said only when it fails.
quietly() {
    local log
    log=$(mktemp)
    if ! "$@" >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        echo "failed: $*" >&2
        return 1
    fi
    rm -f "$log"
}

# What autoconf and automake read, where it is newer than what they made.
news() {
    find . \( -name .git -o -name build -o -name 'build-*' -o -name node_modules -o -name var \) -prune -o \
        \( -name '*.inc' -o -name Makefile.am -o -name configure.ac \) -newer configure -print
}

# build_in DIR TARGETS [CONFIGURE-ARGUMENT...]; other arguments than last time begin from nothing.
build_in() {
    local dir=$1 targets=$2 source=$PWD before
    shift 2
    if [ ! -x configure ] || [ -n "$(news)" ]; then
        quietly autoreconf -fi || return 1
    fi
    mkdir -p "$dir"
    before=$(cat "$dir/.arguments" 2>/dev/null || echo none)
    if [ "$before" != "$*" ] || [ ! -f "$dir/Makefile" ] || [ configure -nt "$dir/Makefile" ]; then
        quietly in_folder "$dir" "$source/configure" -q "$@" || return 1
        [ "$before" = "$*" ] || quietly make -C "$dir" clean || return 1
        printf '%s' "$*" >"$dir/.arguments"
    fi
    # shellcheck disable=SC2086 # targets are words
    make -C "$dir" -s -j"$(nproc)" $targets </dev/null
}

in_folder() (
    cd "$1" || exit 1
    shift
    "$@"
)
