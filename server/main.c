/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotad: reads the configuration and runs. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <config.h>
#include "server/admin_token.h"
#include "server/backup/fsck.h"
#include "server/backup/restore.h"
#include "server/config/config.h"
#include "server/config/reload.h"
#include "server/daemon.h"
#include "server/init.h"
#include "server/ledger/verify.h"
#include "server/listeners.h"

static int complain(const struct error *err, int status)
{
    char text[sizeof err->text + 16];
    snprintf(text, sizeof text, "dfotad: %s", err->text);
    log_last_words(text);
    return status;
}

/* When a standard stream was closed before the start, the next file that is opened, such as the database,
   gets its number, and the log would be written into that file. */
static bool fill_standard_streams(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    return fd >= 0 && close(fd) == 0;
}

static int run(const struct config *config, int argc, char **argv)
{
    struct error err;
    log_set_level(config->log_level);
    log_text_set_format(config->log_format);
    if (!log_start((unsigned)config->log_lines_per_second, &err))
        return complain(&err, 1);
    bool ok = daemon_run(config, argc, argv, &err);
    log_stop();
    return ok ? 0 : complain(&err, 1);
}

/* Without a server. */
static int work_on_files(const struct config *config, enum config_action action)
{
    struct error err;
    bool ok;
    if (action == CONFIG_FSCK) {
        int status = fsck_run(config->data_dir, config->backup, &err);
        return status == 2 ? complain(&err, status) : status;
    }
    if (action == CONFIG_VERIFY_LEDGER)
        ok = ledger_verify(config->data_dir, config->ledger_head, &err);
    else if (action == CONFIG_LEDGER_HEAD)
        ok = ledger_print_head(config->data_dir, &err);
    else if (action == CONFIG_NEW_TOKEN)
        ok = admin_token_renew(config->data_dir, &err);
    else
        ok = restore_run(config->data_dir, config->backup, &err);
    return ok ? 0 : complain(&err, 1);
}

/* --check-config */
static int check(const struct config *config)
{
    struct error err;
    if (!listeners_check(config, &err))
        return complain(&err, 2);
    puts(
        "the configuration is in order\n"
        "A reload (SIGHUP) can change these keys; others need a restart:");
    reload_print_keys(stdout);
    return 0;
}

int main(int argc, char **argv)
{
    struct config config = {.data_dir = NULL};
    enum config_action action;
    struct error err;
    int status = 0;
    if (!fill_standard_streams())
        return 1;
    if (!config_load(argc, argv, &config, &action, &err))
        return complain(&err, 2);
    switch (action) {
    case CONFIG_RUN:
        status = run(&config, argc, argv);
        break;
    case CONFIG_CHECK:
        status = check(&config);
        break;
    case CONFIG_VERIFY_LEDGER:
    case CONFIG_LEDGER_HEAD:
    case CONFIG_NEW_TOKEN:
    case CONFIG_FSCK:
    case CONFIG_RESTORE:
        status = work_on_files(&config, action);
        break;
    case CONFIG_INIT:
        status = init_run(&config, argc, argv, &err) ? 0 : complain(&err, 1);
        break;
    case CONFIG_PRINT:
        config_print_sample(stdout);
        break;
    case CONFIG_HELP:
        config_print_help(stdout);
        break;
    case CONFIG_VERSION:
        puts("dfotad " PACKAGE_VERSION);
        break;
    }
    config_free(&config);
    return status;
}
