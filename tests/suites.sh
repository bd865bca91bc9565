# SPDX-FileCopyrightText: The dfota authors
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The test programs and files of each suite; ./check sources this file. Each test runs in every suite of its kind unless a
# list here excludes it, so a new test is never forgotten. tests/e2e/suites.test.mjs compares the lists with the folders.

# Unit tests of code with one thread: ThreadSanitizer finds nothing there.
unthreaded_unit="allowance answer attempt attempt-slot binpkg body-template brief campaign canary chip ctl-grid decision decision-allowance decision-any
    decision-campaign decision-link decision-package decision-path decision-range delta-bsdiff delta-bsdiff-make delta-bzip
    delta-engine delta-file delta-match delta-suffix ec618 ec618-archives ec618-bzip ec618-module ec618-payload ec618-rules
    ec7xx-archives ec7xx-borders ec7xx-delta ec7xx-image ec7xx-make ec7xx-package ec7xx-rules
    family forecast full guard hours identity inspect json-times lzma name name-dialect name-file package-format par plan-text planner
    planner-any range rate reason
    recognise retry similar slice storage-wal syscall-filter testimony
    timestamp transcript transcript-any turnkey version watchdog wrapper"

# Fuzz targets of the tools. A stranger cannot reach this code over the network, so the targets get less time.
# shellcheck disable=SC2034 # check uses it
tools_fuzz="bsdiff-make bsdiff-records bzip containers ec618-package ec7xx lzma payload suffix-file"

# End-to-end tests that do not run with a sanitizer: files that trace the server (a leak check cannot run under a tracer),
# that preload a library, that test kills, memory, traps, the scripts or a browser, that start no program, and, to save time, files
# of dfota and the package formats, whose unit tests and fuzz targets run with sanitizers, of the examples, and files that make
# many packages, test decisions that other files test in the same way, or change and read rows by the API for minutes.
unsanitized_e2e="allowance backup-disk campaign-cost campaign-model campaign-story campaigns-audience canary clock console console-access
    console-campaigns console-devices console-firmware console-ledger console-live console-settings containers cors crash crowds
    csdk-full ctl-tls data-dir delivered-link dfota disk-damage disk-faults disk-full disk-start docs docs-zh durable ec618 ec7xx
    ec7xx-packages ec7xx-reader effort evidence evidence-attempts examples-host examples-luatos examples-python explain-ways formats full growth
    handed-over image-changes ledger lib load-clock load-disk load-kill load-soak matrix metrics openapi operating pages proxy range rehearsal restart run silence sim-luatos story strace suites traps
    upgraded-release webhook-campaigns webhook-delivery"

# End-to-end tests that do not run with ThreadSanitizer besides: files about the clients, the lists, the indexes, the recognition
# of files, the texts, the form of the log and what the writer's thread alone decides: answers, campaigns, evidence, limits and the ledger.
# They do not test the threads of the server. And files that would wait for minutes.
unthreaded_e2e="api-http backup bulk campaigns campaigns-reports console-styles csdk-planner ctl ctl-campaigns ctl-devices ctl-firmware
    ctl-matrix ctl-packages ctl-server ctl-terminal ctl-tools ctl-transcripts ctl-variants ctl-wrong device-secrets devices-admin dialect
    evidence-file explain image-about init links lists log-format luatos match outcomes overview parameters
    paths reasons recognition reports rules secrets sim sim-download sim-links soc standby strangers suffix transcripts turnkey unknown
    upgraded variants variants-admin words"

# End-to-end tests that take longest. ./check starts them first in each suite.
# shellcheck disable=SC2034 # check uses it
long_e2e="backup campaign-story campaigns console-campaigns console-devices console-firmware console-live containers crash crowds ec618 effort evidence
    ledger load-clock load-disk load-kill overview pages range run tls traps webhook-delivery"

# is_in NAME LIST
is_in() {
    local name
    for name in $2; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

# list_programs DIR: the test programs of a build, as paths in DIR.
list_programs() {
    # shellcheck disable=SC2016 # make expands it
    printf 'include Makefile\nlist-check-programs:\n\t@echo $(check_PROGRAMS)\n' |
        make -s -C "$1" -f - list-check-programs | tr ' ' '\n'
}

# list_kind KIND DIR [LIST]: the programs of a kind (test or fuzz), without the names in LIST.
list_kind() {
    local program short
    list_programs "$2" | while read -r program; do
        short=${program##*/}
        case $short in
        "$1"-*) is_in "${short#"$1"-}" "${3-}" || echo "$program" ;;
        esac
    done
}

unit_programs() { list_kind test "$1"; }
threads_programs() { list_kind test "$1" "$unthreaded_unit"; }
fuzz_programs() { list_kind fuzz "$1"; }

# source_programs DIR SOURCE: the unit tests that read files of the source; their build files hand the folder over.
source_programs() {
    local program
    unit_programs "$1" | while read -r program; do
        ! grep -qE "^$(tr /- _ <<<"$program")_CPPFLAGS = .*srcdir\)" "$2"/tests/unit/*.inc || echo "$program"
    done
}

# missing_programs KIND SOURCES DIR: test sources that have no program in the build.
missing_programs() {
    local source name
    while read -r source; do
        name=${source##*/} name=${name%.c}
        list_kind "$1" "$3" | grep -qE "(^|/)$name\$" || echo "$source"
    done < <(find "$2" -name "$1-*.c")
}

# list_e2e [LIST]...: all end-to-end tests that are not in the lists.
list_e2e() {
    local file name
    for file in tests/e2e/*.test.mjs; do
        name=${file##*/} name=${name%.test.mjs}
        is_in "$name" "$*" || echo "$name"
    done
}

sanitized_e2e_names() { list_e2e "$unsanitized_e2e"; }
# These test how threads affect each other. AddressSanitizer cannot run traps, and would take minutes for the others.
threads_e2e_names() { list_e2e "$unsanitized_e2e" "$unthreaded_e2e" && printf '%s\n' effort restart traps; }
