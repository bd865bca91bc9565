/* dfotad: reads the configuration and runs. */
#include <stdio.h>

#include <config.h>
#include "server/config.h"
#include "server/daemon.h"
#include "server/ledger_check.h"

static int complain(const struct error *err, int status)
{
    fprintf(stderr, "dfotad: %s\n", err->text);
    return status;
}

static int run(const struct config *config)
{
    struct error err;
    log_set_level(config->log_level);
    return daemon_run(config, &err) ? 0 : complain(&err, 1);
}

int main(int argc, char **argv)
{
    struct config config = {.data_dir = NULL};
    enum config_action action;
    struct error err;
    int status = 0;
    if (!config_load(argc, argv, &config, &action, &err))
        return complain(&err, 2);
    switch (action) {
    case CONFIG_RUN:
        status = run(&config);
        break;
    case CONFIG_CHECK:
        puts("the configuration is in order");
        break;
    case CONFIG_VERIFY_LEDGER:
        if (!ledger_check(config.data_dir, config.ledger_head, &err))
            status = complain(&err, 1);
        break;
    case CONFIG_LEDGER_HEAD:
        if (!ledger_print_head(config.data_dir, &err))
            status = complain(&err, 1);
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
