/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as the configuration file, or, behind a NUL, as the command line: an argument a
   line. What is taken is in range; what is refused is one line that a person can read. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "server/config/config.h"
#include "server/config/keys.h"

#define ARGUMENTS_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

static void check_key(const struct config_key *key, struct config *config)
{
    const void *field = config_key_field(key, config);
    struct config other = {0};
    struct error err;
    if (key->owned) {
        const char *text = *(char *const *)field;
        demand(text && slice_is_clean_utf8(slice_of(text)));
        if (text[0]) /* what is understood is understood again */
            demand(config_key_set(key, text, "again", &other, &err));
        config_free(&other);
    } else if (key->most > 0) {
        demand(*(const uint64_t *)field >= key->least && *(const uint64_t *)field <= key->most);
    }
}

static void load(int argc, char **argv)
{
    struct config config = {.data_dir = NULL};
    enum config_action action;
    struct error err = {ERROR_CODES, ""};
    if (!config_load(argc, argv, &config, &action, &err)) {
        demand(err.code == ERROR_INVALID && err.text[0] && !strchr(err.text, '\n'));
        return;
    }
    if (!config.data_dir) /* the action reads no configuration */
        return;
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_table[i].name)
            check_key(&config_key_table[i], &config);
    demand(config.log_level <= LOG_LEVEL_ERROR && config.idle_effort <= EFFORT_BEST);
    demand(config_answer_status(&config, 3) >= 400 && config_answer_status(&config, 3) <= 599);
    config_free(&config);
}

static void load_file(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    char path[64], program[] = "dfotad", option[] = "--config";
    if (fd < 0)
        fd = memfd_create("config", MFD_CLOEXEC);
    demand(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, len, 0) == (ssize_t)len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    char *argv[] = {program, option, path, NULL};
    load(3, argv);
}

static void load_command_line(const uint8_t *bytes, size_t len)
{
    _cleanup_(cleanup_free) char *text = strndup((const char *)bytes, len);
    char program[] = "dfotad", *argv[ARGUMENTS_MAX + 2] = {program}, *rest = text;
    int argc = 1;
    demand(text);
    for (char *line; argc <= ARGUMENTS_MAX && (line = strsep(&rest, "\n"));)
        if (strncmp(line, "--config", 8) != 0) /* no file of this machine is to be read */
            argv[argc++] = line;
    load(argc, argv);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    if (len > 0 && input[0] == '\0')
        load_command_line(input + 1, len - 1);
    else
        load_file(input, len);
    return 0;
}
