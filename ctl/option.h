/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The options of dfotactl: one table of name, argument and help, and the values given on this command line.
 */
#ifndef DFOTA_CTL_OPTION_H
#define DFOTA_CTL_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "ctl/failure.h"

/* Enumerator, long name, short letter or 0, what its argument is called or NULL, help. The first ones, up to
   OPTION_HELP, are understood by every command; the others only by those whose row names them. */
#define OPTION_TABLE(X)                                                                                      \
    X(OPTION_URL, "url", 0, "URL", "the admin API (DFOTA_URL, http://127.0.0.1:8081)")                       \
    X(OPTION_TOKEN, "token", 0, "TOKEN", "the admin's token (DFOTA_TOKEN)")                                  \
    X(OPTION_TOKEN_FILE, "token-file", 0, "FILE", "read the token from FILE, e.g. admin.token")              \
    X(OPTION_PRODUCT, "product", 'p', "KEY", "the product (DFOTA_PRODUCT, or the only one)")                 \
    X(OPTION_OUTPUT, "output", 'o', "FORM", "table, or json as the API gives it")                            \
    X(OPTION_TIMEOUT, "timeout", 0, "S", "give up after S seconds (--wait alone: 600)")                      \
    X(OPTION_HELP, "help", 'h', NULL, "explain the command")                                                 \
    X(OPTION_KEY, "key", 0, "KEY", "product key; one is made when left out")                                 \
    X(OPTION_FIRMWARE, "firmware", 'f', "NAME", "the firmware")                                              \
    X(OPTION_VERSION, "version", 0, "VERSION", "the version: 1138, V1138 or a full name")                    \
    X(OPTION_FORMAT, "format", 0, "FORMAT", "package format: bsdiff or none")                                \
    X(OPTION_MAX_PACKAGE_BYTES, "max-package-bytes", 0, "N", "the largest package its devices can take")     \
    X(OPTION_DOWNGRADES, "downgrades", 0, "yes|no", "may devices go back to a lower target?")                \
    X(OPTION_TRUSTED_CHECK_INS, "trusted-check-ins", 0, "yes|no",                                            \
      "do its check-ins count like a host's reports?")                                                       \
    X(OPTION_REASON, "reason", 0, "TEXT", "why; shown wherever it matters")                                  \
    X(OPTION_CSV, "csv", 0, "FILE", "one IMEI[,VERSION] a line")                                             \
    X(OPTION_PRINT_CSV, "csv", 0, NULL, "print CSV, sizes in bytes")                                         \
    X(OPTION_STATE, "state", 0, "NAMES", "only these outcomes, as delivered,silent")                         \
    X(OPTION_OLDER_THAN, "older-than", 0, "AGE", "only what is so for longer: 90s, 30m, 24h, 7d")            \
    X(OPTION_NOTICE, "notice", 0, NULL, "only devices on which an admin has to act")                         \
    X(OPTION_CONFLICTS, "conflicts", 0, NULL, "only devices about which a claim is kept")                    \
    X(OPTION_LINK, "link", 0, "N", "only this link")                                                         \
    X(OPTION_CAPTURED_AT, "captured-at", 0, "TIME", "when it was written down: 2024-08-22T22:52:50Z")        \
    X(OPTION_WAIT, "wait", 0, NULL, "wait until the package is made, or cannot be")                          \
    X(OPTION_DEVICE, "device", 0, "DEVICE", "only what is about this device")                                \
    X(OPTION_KIND, "kind", 0, "KIND", "only rows of this kind, as check-in")                                 \
    X(OPTION_SINCE, "since", 0, "TIME", "from then on: 2026-11-22, 2026-11-22T10:00:00Z")                    \
    X(OPTION_UNTIL, "until", 0, "TIME", "only what was before")                                              \
    X(OPTION_BEFORE, "before", 0, "TIME", "what is older: 2026-11-22, 2026-11-22T10:00:00Z")                 \
    X(OPTION_AGAINST, "against", 0, "FILE", "a head that was exported earlier")                              \
    X(OPTION_BY, "by", 0, "NAME", "who does it, for the record")                                             \
    X(OPTION_NOTE, "note", 0, "TEXT", "why it may go out; kept with the package")                            \
    X(OPTION_AS, "as", 0, "KIND", "raw: take the file as it is, whatever it looks like")                     \
    X(OPTION_YES, "yes", 0, NULL, "do not ask")                                                              \
    X(OPTION_DIALECT, "dialect", 0, NULL, "as a module that speaks the dialect, not over a link")

enum option_id {
#define X(id, name, letter, argument, help) id,
    OPTION_TABLE(X)
#undef X
        OPTIONS
};

_Static_assert(OPTIONS <= 64, "a mask of options has 64 bits");

#define OPTION_BIT(id) (UINT64_C(1) << (id))
#define OPTIONS_GLOBAL (OPTION_BIT(OPTION_HELP + 1) - 1)

struct options {
    const char
        *value[OPTIONS];  /* borrowed from argv; "" for an option without argument; NULL when not given */
    uint64_t given;       /* OPTION_BIT of each given */
    bool program_version; /* --version stood before the command */
};

/* Reads the options before and behind the command. *ret_words: NULL-terminated, the words of the command and
   its arguments, within argv, which is reordered. The token is wiped from the process's command line.
   --version before the command is the program's, behind it an option of the command. */
bool option_parse(int argc, char **argv, struct options *ret, char ***ret_words, struct failure *fail);

/* One line of help for each option in `mask`. */
void option_print_help(FILE *out, uint64_t mask);

/* " --name ARGUMENT" of each option in mask, for a line of usage; cut when it does not fit. */
void option_format(uint64_t mask, char *out, size_t size);

/* "--name" of the first option in mask; static storage. */
const char *option_name(uint64_t mask);

#endif
