/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The configuration: one table of keys (config.c) drives the INI file, the command line, `dfotad --print-config`, the
   sample file and, checked by a test, the man page. Adding a key is adding a row and a field of the same name.

   A key `data_dir` is `data_dir = DIR` in the file and `--data-dir DIR` or `--data-dir=DIR` on the command line, which
   wins over the file; the file wins over the defaults. Sections `[firmware NAME]` have keys of their own
   (config_firmware.h) and are in the file only; other sections are allowed and mean nothing. */
#ifndef DFOTA_SERVER_CONFIG_CONFIG_H
#define DFOTA_SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "server/core/log.h"
#include "storage/package.h"

enum matrix_mode { MATRIX_NEEDED, MATRIX_ALL }; /* which pairs of images are made without being asked for */

/* Every key's value, already in range. Text is never NULL and owned by the struct. */
struct config {
    char *data_dir; /* need not exist yet */

    char *device_listen; /* "0.0.0.0:8080", "[::1]:8080": numeric host, port 0 = any free one */
    char *admin_listen;
    char *public_device_url; /* "http://host" or "http://host:port", no slash at the end; "" when not set */

    char *device_proxies; /* addresses as inet_ntop() writes them, one blank between two; "" for none */

    uint64_t loops; /* event loops per listener; never 0: the default stands for one per core */
    uint64_t max_device_connections;
    uint64_t max_admin_connections;
    uint64_t head_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t least_rate; /* bytes a second */
    uint64_t transfer_stall_ms;

    uint64_t max_image_bytes;
    uint64_t disk_reserve_bytes; /* kept free on the disk of data_dir */
    uint64_t package_cache_bytes;

    uint64_t max_new_devices_per_day; /* per product */
    uint64_t loop_guard_per_day;
    uint64_t link_offers;
    uint64_t link_offer_gap_ms;
    uint64_t pin_idle_ms;
    uint64_t silent_after_ms;

    char *
        dfota_path; /* absolute, or as configured; never "": the default stands for the one beside this executable */
    uint64_t jobs; /* dfota processes at once; never 0: the default stands for one per core */
    enum matrix_mode matrix;
    uint64_t job_cpu_s;
    uint64_t job_memory_bytes;
    uint64_t job_wall_ms;
    uint64_t background_share;       /* percent */
    enum package_effort idle_effort; /* EFFORT_NONE: packages that fit are not tried harder */

    uint64_t ledger_keep_days;

    enum log_level log_level;
    uint64_t log_lines_per_second; /* of each event, once a burst is over; 0: no limit */

    struct firmware_section *firmware; /* its sections; firmware_section_of() finds one */
    size_t firmware_count;

    const char
        *ledger_head; /* no key: what --verify-ledger=FILE names, borrowed from the command line; NULL */

    /* HTTP status of each refusal of the dialect, 400 to 599. */
    uint64_t status_3, status_17, status_21, status_25, status_26, status_27, status_40, status_43, status_44;
};

/* What the command line asks for. */
enum config_action {
    CONFIG_RUN,
    CONFIG_CHECK,         /* --check-config: everything has been read and is in order; say so and exit 0 */
    CONFIG_VERIFY_LEDGER, /* --verify-ledger: check the ledger in data_dir, exit 0 when it is whole */
    CONFIG_LEDGER_HEAD,   /* --ledger-head: print its head, exit 0 */
    CONFIG_PRINT,         /* --print-config: config_print_sample(stdout), exit 0 */
    CONFIG_HELP,          /* --help: config_print_help(stdout), exit 0 */
    CONFIG_VERSION,       /* --version */
};

/* Defaults, then the file of --config where one is named, then the command line. *ret is the caller's (config_free) with
   CONFIG_RUN, CONFIG_CHECK and the two of the ledger only; the other actions read no file and fill nothing. ERROR_INVALID with file and line, or
   the option, for an unknown key or option, a bad value, an unreadable file, an argument that is no option. */
bool config_load(int argc, char **argv, struct config *ret, enum config_action *ret_action, struct error *err)
    __attribute__((warn_unused_result));
void config_free(struct config *config); /* fine on a zeroed one, and twice */

/* Is this peer ("192.0.2.1:40312", "[::1]:40312") one of device_proxies? */
bool config_is_proxy(const struct config *config, const char *peer);

/* The HTTP status for a refusal code of the dialect (3, 17, …); 400 for a code without a key. */
int config_answer_status(const struct config *config, int code);

/* Every key with its meaning and default, as an INI file: what packaging/dfota.conf.sample holds. */
void config_print_sample(FILE *out);
void config_print_help(FILE *out);

#endif
