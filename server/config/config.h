/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The configuration. One table of keys (keys.c) is used for the INI file, the command line, `dfotad
   --print-config` and the sample file; a test compares the man page with it. A new key is a new row and a new
   field with the same name.

   The key `data_dir` is `data_dir = DIR` in the file, and `--data-dir DIR` or `--data-dir=DIR` on the command
   line. The command line wins over the file, and the file over the defaults. Sections `[firmware NAME]` have
   their own keys (firmware_section.h), in the file only. Other sections are allowed, and their names are
   ignored. */
#ifndef DFOTA_SERVER_CONFIG_CONFIG_H
#define DFOTA_SERVER_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "base/error.h"
#include "server/core/log.h"
#include "storage/package.h"

enum matrix_mode { MATRIX_NEEDED, MATRIX_ALL }; /* which packages are made without a request */

/* The value of each key, within its limits. Texts are never NULL; the struct owns them. */
struct config {
    char *data_dir; /* may not exist yet */

    char *device_listen; /* "0.0.0.0:8080", "[::1]:8080": numeric host, port 0: any free port */
    char *admin_listen;
    char *device_tls_listen, *admin_tls_listen; /* like device_listen; "": none */
    char *device_tls_cert, *device_tls_key;     /* PEM files; key "": in cert */
    char *admin_tls_cert, *admin_tls_key;
    char *public_device_url; /* "http://host" or "http://host:port", no slash at the end; "" when not set */

    char *device_proxies; /* addresses in the form of inet_ntop(), with one blank between two; "" for none */

    char *admin_proxies; /* like device_proxies */

    char *admin_cors_origins; /* with one blank between two; "": none */

    uint64_t loops; /* event loops per listener; never 0, by default the number of cores */
    uint64_t max_device_connections;
    uint64_t max_admin_connections;
    uint64_t head_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t admin_keep_alive_ms;  /* 0: each answer closes its connection */
    uint64_t device_keep_alive_ms; /* the same for connections of device_proxies */
    uint64_t least_rate;           /* bytes per second */
    uint64_t transfer_stall_ms;
    uint64_t max_transfers;        /* at the same time; 0: no limit */
    uint64_t max_bytes_per_second; /* of packages; 0: no limit, else at least ALLOWANCE_LEAST_RATE */

    uint64_t max_image_bytes;
    uint64_t disk_reserve_bytes; /* kept free on the disk of data_dir */
    uint64_t package_cache_bytes;

    uint64_t max_new_devices_per_day; /* per product */
    uint64_t loop_guard_per_day;
    uint64_t link_offers;
    uint64_t link_offer_gap_ms;
    uint64_t pin_idle_ms;
    uint64_t silent_after_ms;

    char *dfota_path; /* as configured; never "", by default the absolute path of dfota beside this program */
    uint64_t jobs;    /* dfota processes at the same time; never 0, by default the number of cores */
    enum matrix_mode matrix;
    uint64_t job_cpu_s;
    uint64_t job_memory_bytes;
    uint64_t job_wall_ms;
    uint64_t background_share;       /* percent */
    enum package_effort idle_effort; /* EFFORT_NONE: packages that fit are not made smaller */

    uint64_t ledger_keep_days;
    uint64_t backup_warn_days;
    uint64_t check_ins_keep_days;
    uint64_t attempts_kept;
    uint64_t unknown_files_keep_days;

    enum log_level log_level;
    enum log_format log_format;
    uint64_t log_lines_per_second; /* of each event, after a burst; 0: no limit */

    char *file_text; /* the bytes of the file of --config, as they were read; NULL: no file was read */
    size_t file_size;

    struct firmware_section *firmware; /* the sections [firmware NAME]; firmware_section_of() finds one */
    size_t firmware_count;

    const char
        *ledger_head; /* not a key: FILE of --verify-ledger=FILE, borrowed from the command line, or NULL */

    const char *path; /* not a key: FILE of --config, borrowed; NULL: none. --init: the default path then */
    bool was_read;    /* the file was there, and it was read */

    const char *backup; /* not a key: DIR of --restore and --fsck=DIR, borrowed, or NULL */

    /* HTTP status of each refusal in the dialect, 400 to 599. */
    uint64_t status_3, status_17, status_21, status_25, status_26, status_27, status_40, status_43, status_44;
};

/* What the program is to do. */
enum config_action {
    CONFIG_RUN,
    CONFIG_CHECK,         /* --check-config: the configuration is valid; say so and exit with 0 */
    CONFIG_VERIFY_LEDGER, /* --verify-ledger: verify the ledger in data_dir, exit with 0 when it is right */
    CONFIG_LEDGER_HEAD,   /* --ledger-head: print the head of the ledger, exit with 0 */
    CONFIG_NEW_TOKEN,     /* --new-admin-token: make another token in data_dir, exit with 0 */
    CONFIG_FSCK,          /* --fsck: check the data directory, or the backup, and exit */
    CONFIG_RESTORE,       /* --restore: make the data directory from the backup, and exit */
    CONFIG_INIT,          /* --init: make the configuration, the data directory and the tokens, and exit */
    CONFIG_PRINT,         /* --print-config: config_print_sample(stdout), exit with 0 */
    CONFIG_HELP,          /* --help: config_print_help(stdout), exit with 0 */
    CONFIG_VERSION,       /* --version */
};

/* Reads the defaults, then the file of --config when it is given, then the command line. With CONFIG_RUN,
   CONFIG_CHECK, CONFIG_NEW_TOKEN, CONFIG_FSCK, CONFIG_RESTORE, CONFIG_INIT and the two actions of the ledger, *ret is filled and
   the caller frees it with config_free(). The other actions read no file and leave *ret as it is. ERROR_INVALID, with file and line or with the
   option: an unknown key or option, a bad value, a file that cannot be read, an argument that is not an
   option. */
bool config_load(int argc, char **argv, struct config *ret, enum config_action *ret_action, struct error *err)
    __attribute__((warn_unused_result));
void config_free(struct config *config); /* allowed on a zeroed config, and twice */

/* Whether this peer ("192.0.2.1:40312", "[::1]:40312") is one of device_proxies. */
bool config_is_proxy(const struct config *config, const char *peer);

/* The HTTP status for a refusal code of the dialect (3, 17, …); 400 for a code without a key. */
int config_answer_status(const struct config *config, int code);

/* Each key with its meaning and default, as an INI file: the content of packaging/dfota.conf.sample. */
void config_print_sample(FILE *out);
/* Prints the keys of the command line as lines of a configuration file, and returns their number. out NULL: only counts.
   The command line was read by config_load() without an error. */
size_t config_print_options(FILE *out, int argc, char **argv);
void config_print_help(FILE *out);

#endif
