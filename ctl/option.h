/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The options of dfotactl: a table for base/options.h, and the struct that holds the values of one command
   line. */
#ifndef DFOTA_CTL_OPTION_H
#define DFOTA_CTL_OPTION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "base/options.h"
#include "ctl/failure.h"

#define TIMEOUT_MAX_S     (30 * 24 * 3600)
#define PACKAGE_MAX_BYTES (1 << 30)

/* Identifier, long name, short letter or 0, name of the value or NULL, kind and member, help. Every command
   takes the rows up to HELP; a command takes another row only where the table of commands says so. */
#define OPTION_TABLE(X)                                                                                      \
    X(URL, "url", 0, "URL", TEXT(url), "admin API (DFOTA_URL; http://127.0.0.1:8081)")                       \
    X(TOKEN, "token", 0, "TOKEN", OTHER(token, take_token), "the admin token (DFOTA_TOKEN)")                 \
    X(TOKEN_FILE, "token-file", 0, "FILE", TEXT(token_file), "file that holds the token (admin.token)")      \
    X(PRODUCT, "product", 'p', "KEY", TEXT(product), "product key (DFOTA_PRODUCT)")                          \
    X(OUTPUT, "output", 'o', "table|wide|json|csv", WORD(output), "form of the output; JSON is valid YAML")  \
    X(COLUMNS, "columns", 0, "NAMES", TEXT(columns), "print these columns: device,last_seen_at")             \
    X(PROFILE, "profile", 0, "NAME", TEXT(profile), "section of ~/.config/dfota/config.ini (DFOTA_PROFILE)") \
    X(TIMEOUT, "timeout", 0, "SECONDS", NUMBER(timeout_s, 1, TIMEOUT_MAX_S),                                 \
      "give up after this time (--wait: after 600)")                                                         \
    X(CACERT, "cacert", 0, "FILE", TEXT(cacert), "PEM certificates to trust (SSL_CERT_FILE)")                \
    X(CERT, "cert", 0, "FILE", TEXT(cert), "client certificate, PEM")                                        \
    X(CERT_KEY, "cert-key", 0, "FILE", TEXT(cert_key), "its private key, if it is in another file")          \
    X(PROXY, "proxy", 0, "URL", TEXT(proxy), "HTTP proxy (https_proxy, http_proxy, no_proxy)")               \
    X(HELP, "help", 'h', NULL, FLAG(help), "print the help of a command")                                    \
    X(PROGRAM_VERSION, "version", 0, NULL, FLAG(program_version),                                            \
      "before the command: print the version of dfotactl")                                                   \
    X(KEY, "key", 0, "KEY", TEXT(key), "product key; without it the server makes one")                       \
    X(FIRMWARE, "firmware", 'f', "NAME", TEXT(firmware), "name of the firmware")                             \
    X(VERSION, "version", 0, "VERSION", TEXT(version), "the version: 1138, V1138 or a full name")            \
    X(VARIANT, "variant", 0, "NAME", TEXT(variant),                                                          \
      "which build of the version; \"\": the one without a name")                                            \
    X(FROM_VARIANT, "from-variant", 0, "NAME", TEXT(from_variant), "which build of FROM")                    \
    X(TO_VARIANT, "to-variant", 0, "NAME", TEXT(to_variant), "which build of TO")                            \
    X(FORMAT, "format", 0, "FORMAT", TEXT(format), "package format; none: make no packages")                 \
    X(MAX_PACKAGE_BYTES, "max-package-bytes", 0, "N", NUMBER(max_package_bytes, 1, PACKAGE_MAX_BYTES),       \
      "size limit of packages in bytes")                                                                     \
    X(DOWNGRADES, "downgrades", 0, "yes|no", WORD(downgrades), "may devices go to a lower target?")          \
    X(CANARY, "canary", 0, "N|off", TEXT(canary), "confirmations before a second device gets a package")     \
    X(QUARANTINE_AFTER, "quarantine-after", 0, "N", NUMBER(quarantine_after, 1, 1000),                       \
      "failed devices after which a package goes out of service")                                            \
    X(HOURS, "hours", 0, "RANGE|always", TEXT(hours), "when downloads begin: 22:00-06:00+08:00")             \
    X(MAX_BYTES_PER_MONTH, "max-bytes-per-month", 0, "N|none", TEXT(max_bytes_per_month),                    \
      "bytes that a device is sent in a month")                                                              \
    X(FULL_PACKAGES, "full-packages", 0, "off|allowed|preferred", WORD(full_packages),                       \
      "do the devices take full packages of CSDK?")                                                          \
    X(TRUSTED_CHECK_INS, "trusted-check-ins", 0, "yes|no", WORD(trusted_check_ins),                          \
      "do check-ins count like reports of hosts?")                                                           \
    X(UNKNOWN_DEVICES, "unknown-devices", 0, "admitted|held|refused", WORD(unknown_devices),                 \
      "what happens to devices that are not known")                                                          \
    X(DEVICE_SECRET, "device-secret", 0, "optional|required", WORD(device_secret),                           \
      "must devices show a secret?")                                                                         \
    X(NAME, "name", 0, "NAME", TEXT(name), "the new name")                                                   \
    X(FORCE, "force", 0, NULL, FLAG(force), "also while devices send the present name")                      \
    X(SORT, "sort", 0, "FIELD", TEXT(sort), "by this field of the JSON; -FIELD: the highest first")          \
    X(FILTER, "filter", 'q', "TEXT", TEXT(filter), "only what fits: \"version<1147 and tag=north\"")         \
    X(LIMIT, "limit", 0, "N", NUMBER(limit, 1, 1000000), "at most this many")                                \
    X(TAG, "tag", 0, "TAG", TEXT(tag), "only devices with this tag")                                         \
    X(RETIRED, "retired", 0, NULL, FLAG(retired), "the retired devices instead")                             \
    X(HELD, "held", 0, NULL, FLAG(held), "the devices that wait to be admitted instead")                     \
    X(REMOVE, "remove", 0, NULL, FLAG(remove), "remove the tags")                                            \
    X(REASON, "reason", 0, "TEXT", TEXT(reason), "the reason; shown with the image")                         \
    X(CSV, "csv", 0, "FILE", TEXT(csv), "file with one IMEI[,VERSION] per line")                             \
    X(PRINT_CSV, "csv", 0, NULL, FLAG(print_csv), "print CSV; sizes in bytes")                               \
    X(STATE, "state", 0, "NAMES", TEXT(state), "only these outcomes: delivered,silent")                      \
    X(OLDER_THAN, "older-than", 0, "AGE", TEXT(older_than), "only outcomes older than 90s, 30m, 24h, 7d")    \
    X(NOTICE, "notice", 0, NULL, FLAG(notice), "only devices that need an action of an admin")               \
    X(CONFLICTS, "conflicts", 0, NULL, FLAG(conflicts), "only devices with a claim")                         \
    X(ALL, "all", 0, NULL, FLAG(all), "all blocked devices of a firmware")                                   \
    X(LINK, "link", 0, "N", TEXT(link), "the link with this number")                                         \
    X(CAPTURED_AT, "captured-at", 0, "TIME", OTHER(captured_at_ms, read_time),                               \
      "when the text was captured: 2024-08-22T22:52:50Z")                                                    \
    X(WAIT, "wait", 0, NULL, FLAG(wait), "wait until the package is made or has failed")                     \
    X(DEVICE, "device", 0, "DEVICE", TEXT(device), "only rows about this device")                            \
    X(KIND, "kind", 0, "KIND", TEXT(kind), "only rows of this kind, such as check-in")                       \
    X(SINCE, "since", 0, "TIME", OTHER(since_ms, read_time_or_date),                                         \
      "only rows from this time on: 2026-11-22, 2026-11-22T10:00:00Z")                                       \
    X(UNTIL, "until", 0, "TIME", OTHER(until_ms, read_time_or_date), "only rows before this time")           \
    X(BEFORE, "before", 0, "TIME", OTHER(before_ms, read_time_or_date),                                      \
      "remove rows before this time: 2026-11-22, 2026-11-22T10:00:00Z")                                      \
    X(AGAINST, "against", 0, "FILE", TEXT(against), "a head that was exported earlier")                      \
    X(BY, "by", 0, "NAME", TEXT(by), "name of the person, for the ledger (DFOTA_BY)")                        \
    X(NOTE, "note", 0, "TEXT", TEXT(note), "why the package may be sent; kept with the package")             \
    X(AS, "as", 0, "raw", WORD(as), "accept the file, whatever it looks like")                               \
    X(WATCH, "watch", 0, NULL, FLAG(watch), "print it again every two seconds")                              \
    X(YES, "yes", 0, NULL, FLAG(yes), "do not ask")                                                          \
    X(DIALECT, "dialect", 0, NULL, FLAG(dialect), "as if the device asks in the dialect")                    \
    X(KINDS, "kinds", 0, "KINDS", TEXT(kinds), "kinds of events: confirmed,not-applied; or all")             \
    X(SECRET_FILE, "secret-file", 0, "FILE", TEXT(secret_file), "file with the secret, at least 16 bytes")   \
    X(TEMPLATE_FILE, "template-file", 0, "FILE", TEXT(template_file), "file with the body for a chat robot") \
    X(ENABLED, "enabled", 0, "yes|no", WORD(enabled), "are events sent?")                                    \
    X(NEW_NAME, "new-name", 0, "NAME", TEXT(new_name), "the new name")                                       \
    X(NEW_URL, "new-url", 0, "URL", TEXT(new_url), "the new URL")                                            \
    X(SCOPE, "scope", 0, "SCOPE", TEXT(scope), "read, upload, operate or admin")                             \
    X(EXPIRES, "expires", 0, "TIME", OTHER(expires_ms, read_time_or_date),                                   \
      "the token works until this time")                                                                     \
    X(OVERLAP, "overlap", 0, "HOURS", NUMBER(overlap_h, 0, 2160), "how long the old secret works too")       \
    X(STAGE, "stage", 0, "STAGE", OTHER(stages, add_stage),                                                  \
      "5, 10% or all; 5,min=4,fail=0,silent=0,settle=1d,approve=1; repeat it for each stage")                \
    X(DEVICES, "devices", 0, "FILE", TEXT(devices), "CSV file: DEVICE[,first]; or with a header")            \
    X(DRY_RUN, "dry-run", 0, NULL, FLAG(dry_run), "show what would happen, and change nothing")              \
    X(PAUSE_WHEN_DONE, "pause-when-done", 0, NULL, FLAG(pause_when_done), "pause after the last stage")      \
    X(FINISH_TRANSFERS, "finish-transfers", 0, "yes|no", WORD(finish_transfers),                             \
      "while the campaign is paused: may downloads end?")                                                    \
    X(OUTCOME, "outcome", 0, "NAME", TEXT(outcome), "only devices with this outcome, such as not_applied")   \
    X(FROZEN, "frozen", 0, NULL, FLAG(frozen), "the start fixes which devices the filter selects")           \
    X(DYNAMIC, "dynamic", 0, NULL, FLAG(dynamic), "the filter is asked at each check-in")                    \
    X(KEEP, "keep", 0, "N", NUMBER(keep, 1, 100000), "backups to keep; older ones are removed")              \
    X(PURPOSE, "purpose", 0, "security-fix|bug-fix|feature|other", WORD(purpose), "what the image is for")   \
    X(RELEASE_NOTE, "release-note", 0, "TEXT", TEXT(release_note), "what is new, at most 4000 bytes")        \
    X(ADVISORY, "advisory", 0, "TEXT", TEXT(advisory), "name or address of a security advisory")             \
    X(SBOM, "sbom", 0, "FILE", TEXT(sbom), "JSON file with the list of the software in it")                  \
    X(ALL_ROWS, "all-rows", 0, NULL, FLAG(all_rows), "all rows of the ledger since the campaign began")      \
    X(PUBLIC_KEY, "key", 0, "KEY", TEXT(public_key), "the public key that you trust: a PEM file, or base64") \
    X(ORDER, "order", 0, "given|hash|spread", WORD(order), "which devices go first")

enum option_id {
#define X(id, name, letter, argument, kind, help) OPTION_##id,
    OPTION_TABLE(X)
#undef X
        OPTIONS
};

_Static_assert(OPTIONS <= OPTIONS_MAX, "the parser has room for all options");

/* A set of options is a bool[OPTIONS]: {OPTION_ON(BY), OPTION_ON(WAIT)}; {0} is empty. */
#define OPTION_ON(id) [OPTION_##id] = true

#define CTL_STAGES_MAX 16
struct ctl_stages {
    const char *text[CTL_STAGES_MAX]; /* borrowed from argv */
    unsigned count;
};

/* Texts are borrowed from argv. NULL, 0 or false: not given. */
struct ctl_options {
    const char *cacert, *cert, *cert_key, *proxy;
    const char *url, *token, *token_file, *product, *output, *columns, *profile;
    uint64_t timeout_s;
    bool help, program_version, watch;

    const char *key, *firmware, *version, *variant, *from_variant, *to_variant, *format, *downgrades,
        *trusted_check_ins;
    uint64_t max_package_bytes, quarantine_after, limit;
    const char *canary, *hours, *max_bytes_per_month, *full_packages;
    const char *unknown_devices, *device_secret, *name, *filter, *sort, *tag;
    bool force, retired, held, remove;
    const char *reason, *csv, *state, *older_than, *link, *device, *kind, *against, *by, *note, *as;
    const char *kinds, *secret_file, *template_file, *enabled, *new_name, *new_url;
    bool print_csv, notice, conflicts, all, wait, yes, dialect;
    struct ctl_stages stages;
    const char *devices, *finish_transfers, *outcome, *order;
    bool frozen, dynamic, all_rows;
    const char *public_key, *purpose, *release_note, *advisory, *sbom;
    uint64_t keep;
    bool dry_run, pause_when_done;
    const char *scope;
    int64_t expires_ms;
    uint64_t overlap_h;
    int64_t captured_at_ms, since_ms, until_ms, before_ms;

    bool given[OPTIONS];
};

/* Reads the options before the command. *ret_rest: NULL-terminated, begins with the first word. --token is
   erased from the process's command line. */
bool option_parse_first(int argc, char **argv, struct ctl_options *options, char ***ret_rest,
                        struct failure *fail);

/* Reads the options in `rest`, which begins with the words of a command that takes the options in `own`.
   *ret_words: NULL-terminated, the words of the command and its arguments, within `rest`, which is
   reordered. */
bool option_parse_rest(char **rest, const bool own[OPTIONS], struct ctl_options *options, char ***ret_words,
                       struct failure *fail);

/* One entry of help for each option in the set. */
void option_print_help(FILE *out, const bool set[OPTIONS]);

/* " --name ARGUMENT" of each option in the set, for a usage line; cut when it does not fit. */
void option_format(const bool set[OPTIONS], char *out, size_t size);

const struct options_row *option_row(enum option_id id);

/* Without dashes. */
const char *option_name(enum option_id id);

#endif
