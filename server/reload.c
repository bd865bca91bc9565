/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/reload.h"

#include <stdlib.h>

#include "server/config/reload.h"
#include "server/core/log.h"
#include "server/listeners.h"

struct generation {
    struct config config;
    struct generation *older;
};

struct reload {
    struct daemon *daemon;
    const struct config *started;
    int argc;
    char **argv;
    struct generation *newest; /* in force; the oldest is a copy of *started, which owns its texts */
};

bool reload_open(struct daemon *daemon, const struct config *started, int argc, char **argv,
                 struct config **ret_config, struct reload **ret, struct error *err)
{
    struct reload *reload = calloc(1, sizeof *reload);
    struct generation *first = calloc(1, sizeof *first);
    if (!reload || !first) {
        free(reload);
        free(first);
        return error_set(err, ERROR_INTERNAL, "out of memory");
    }
    first->config = *started;
    *reload =
        (struct reload){.daemon = daemon, .started = started, .argc = argc, .argv = argv, .newest = first};
    daemon->config = &first->config;
    *ret_config = &first->config;
    *ret = reload;
    return true;
}

/* The values that are not read from the configuration each time. */
static void apply(struct reload *reload, struct generation *next, struct listeners *listeners)
{
    struct daemon *daemon = reload->daemon;
    next->config.firmware = reload->started->firmware;
    next->config.firmware_count = reload->started->firmware_count;
    next->older = reload->newest;
    reload->newest = next;
    daemon->config = &next->config;
    log_set_level(next->config.log_level);
    if (next->config.log_lines_per_second != next->older->config.log_lines_per_second)
        log_set_limit((unsigned)next->config.log_lines_per_second); /* forgets what it has counted */
    listeners_reload(listeners, daemon);
}

static void log_failure(const struct error *err)
{
    log_line(LOG_LEVEL_ERROR, "reload-failed", "error", err->text, "then",
             "nothing was changed: dfotad --check-config shows the error, too", NULL);
}

void reload_run(struct reload *reload, struct listeners *listeners)
{
    struct generation *next = calloc(1, sizeof *next);
    struct reload_names names;
    struct error err;
    if (!next) {
        error_set(&err, ERROR_INTERNAL, "out of memory");
        log_failure(&err);
        return;
    }
    if (!reload_read(reload->argc, reload->argv, reload->started, reload->daemon->config, &next->config,
                     &names, &err)) {
        log_failure(&err);
        free(next);
        return;
    }
    if (!listeners_check(&next->config, &err)) {
        log_failure(&err);
        config_free(&next->config);
        free(next);
        return;
    }
    apply(reload, next, listeners);
    log_line(LOG_LEVEL_INFO, "reloaded", "changed", names.changed[0] ? names.changed : "nothing", NULL);
    if (names.needs_restart[0])
        log_line(LOG_LEVEL_WARN, "reload-needs-restart", "keys", names.needs_restart, "then",
                 "these keys keep their old values until the server is restarted", NULL);
}

void reload_close(struct reload *reload)
{
    if (!reload)
        return;
    for (struct generation *at = reload->newest, *older; at; at = older) {
        older = at->older;
        at->config.firmware = NULL; /* of *started */
        at->config.firmware_count = 0;
        if (older)
            config_free(&at->config);
        free(at);
    }
    free(reload);
}
