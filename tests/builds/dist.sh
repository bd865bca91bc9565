#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# dist.sh BUILD: the archive of `make dist` builds, passes the tests that read its files, installs, and can make the archive again.
set -u
build=$(readlink -f "${1:?the build directory}")
cd "$(dirname "$(readlink -f "$0")")" || exit 1
source=$PWD/../..
# shellcheck source=tests/builds/tap.sh
. ./tap.sh
# shellcheck source=tests/suites.sh
. "$source/tests/suites.sh"
cd "$scratch" || exit 1

# Every file of the repository is in the archive, except the files that only a checkout needs.
is_whole() {
    tar -tf "$build"/dfota-*.tar.xz | sed -n 's|^[^/]*/\(.*[^/]\)$|\1|p' | sort >packed
    git -C "$source" ls-files | grep -Ev '^(\.gitignore|\.gitattributes)$' | sort >kept
    comm -13 packed kept >missing
    sed 's/^/not packed: /' missing
    [ ! -s missing ]
}

# configure.ac has the version number. The archive, the programs and the documents have the same one, and so has the tag
# of a released commit: v1.2.3 for 1.2.3.
has_one_version() {
    local version tag page
    version=$(sed -n 's/^AC_INIT(\[dfota\], \[\([^]]*\)\].*/\1/p' "$source/configure.ac")
    [ -n "$version" ] || { echo "no version in configure.ac" && return 1; }
    test -f "$build/dfota-$version.tar.xz" || { echo "no archive dfota-$version.tar.xz" && return 1; }
    for program in dfota dfotactl dfotad; do
        "$build/$program" --version | grep -qwF "$version" || { echo "$program --version" && return 1; }
    done
    grep -qE "^$version( |\$)" "$source/NEWS" || { echo "no entry $version in NEWS" && return 1; }
    for page in install my-150-modules; do
        grep -qF "dfota-server_$version-1_" "$source/doc/$page.md" || { echo "doc/$page.md" && return 1; }
    done
    grep -qF "{\"version\":\"$version\"," "$source/doc/api.md" || { echo "doc/api.md" && return 1; }
    for tag in $(git -C "$source" tag --points-at HEAD 'v[0-9]*' 2>/dev/null); do
        [ "$tag" = "v$version" ] || { echo "the tag $tag is not v$version" && return 1; }
    done
}

# All test programs are built. Of these only the programs that read files of the source run, because the others do the same as in
# the suite unit. The suite debian builds the archive with optimization; this build saves the time.
check_archive() {
    local tests
    tests=$({ fuzz_programs "$build" && source_programs "$build" "$source"; } | tr '\n' ' ')
    [ -n "$tests" ] || { echo "no tests" && return 1; }
    make -s -C "$build" distcheck -j"$(nproc)" TESTS="$tests" DISTCHECK_CONFIGURE_FLAGS="--disable-hardening CFLAGS=-O0"
}

check "make distcheck" check_archive
if git -C "$source" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    check "the archive holds every file" is_whole
fi
check "all files name one version" has_one_version
finish
