#!/usr/bin/env bash
# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# Static analysis. BUILD is a configured build folder, for its config.h. Run: static.sh BUILD; prints TAP.
set -u
build=$(readlink -f "$1")
cd "$(dirname "$(readlink -f "$0")")/../.." || exit 1
# shellcheck source=tests/builds/tap.sh
. tests/builds/tap.sh

flags=(-I. "-I$build" -D_GNU_SOURCE -std=gnu17)

list_sources() {
    git ls-files -z 'base/*.c' 'ctl/*.c' 'delta/*.c' 'examples/*.c' 'server/*.c' 'sim/*.c' 'storage/*.c' 'upgrade/*.c'
}

# tests/builds/cppcheck.txt has the suppressions, each with its reason.
run_cppcheck() {
    list_sources | xargs -0 cppcheck --quiet -j "$(nproc)" --enable=warning,portability,performance --std=c11 -I. \
        --inline-suppr --suppressions-list=tests/builds/cppcheck.txt --library=tests/builds/cppcheck.cfg --error-exitcode=1
}

# A warning that is off has its reason here:
#   malloc-leak                  gcc 12 loses pointers that are stored in an out-parameter
#   use-of-uninitialized-value   gcc 12 does not see what is stored through the pointer that _cleanup_ hands over; valgrind looks for these
run_gcc_analyzer() {
    list_sources | xargs -0 -P "$(nproc)" -I {} gcc -fanalyzer -Werror -Wno-analyzer-malloc-leak \
        -Wno-analyzer-use-of-uninitialized-value -O1 "${flags[@]}" -c {} -o /dev/null
}

run_clang_tidy() {
    # shellcheck disable=SC2016 # the inner shell expands it
    list_sources | xargs -0 -P "$(nproc)" -n 8 sh -c 'clang-tidy --quiet "$@" -- '"${flags[*]}" sh
}

run_shellcheck() {
    {
        git ls-files -z '*.sh' '*.bash'
        git ls-files | while read -r file; do
            ! head -n 1 "$file" 2>/dev/null | grep -qE '^#!.*\b(ba)?sh$' || printf '%s\0' "$file"
        done
    } | sort -zu | xargs -0 shellcheck -x
}

# make has installed the modules.
check_types() {
    (cd www && node_modules/.bin/tsc --noEmit)
}

check "cppcheck finds nothing" run_cppcheck
check "gcc -fanalyzer finds nothing" run_gcc_analyzer
check "clang-tidy finds nothing" run_clang_tidy
check "shellcheck finds nothing" run_shellcheck
check "the types of the console fit" check_types
finish
