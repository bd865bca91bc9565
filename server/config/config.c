/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <config.h>
#include "base/slice.h"
#include "server/config/config_file.h"
#include "server/config/firmware_section.h"
#include "server/config/keys.h"

#define SAMPLE_WIDTH 100u
#define HELP_WIDTH   80u

static const struct {
    const char *option;
    enum config_action action;
    const char *help;
} action_table[] = {
    {"--check-config", CONFIG_CHECK, "Read the configuration, report the first error, and exit."},
    {"--verify-ledger", CONFIG_VERIFY_LEDGER,
     "Verify the hashes of the ledger in data_dir, of a server or a backup, and exit. --verify-ledger=FILE "
     "also compares the ledger with the head in FILE."},
    {"--ledger-head", CONFIG_LEDGER_HEAD, "Print the head of the ledger in data_dir, and exit."},
    {"--new-admin-token", CONFIG_NEW_TOKEN,
     "Make a new token that may do everything, write it to admin.token in data_dir, and exit. For an admin who has lost "
     "all tokens. Stop the server before. Other tokens stay as they are."},
    {"--fsck", CONFIG_FSCK,
     "Check the database, each image and package, and the ledger in data_dir, and exit. The server must not "
     "run. --fsck=DIR checks the backup in DIR. Nothing is changed."},
    {"--restore", CONFIG_RESTORE,
     "Make data_dir from the newest backup in DIR, or from the backup DIR/NAME, and exit: --restore=DIR. "
     "data_dir must be empty."},
    {"--init", CONFIG_INIT,
     "Make the configuration file, the data directory with the first admin token, and backup.token for the backup "
     "timer, and exit. What is there is kept. Without --config the file is " CONFIG_DEFAULT_PATH
     ". Other options are "
     "written into a new file. Run it as root; the files belong to the user dfota."},
    {"--print-config", CONFIG_PRINT,
     "Print each key with its meaning and default, as a configuration file, and exit."},
    {"--help", CONFIG_HELP, "Print this help and exit."},
    {"--version", CONFIG_VERSION, "Print the version and exit."},
};

#define ACTIONS (sizeof action_table / sizeof action_table[0])

/* ---- The command line ---- */

struct argument {
    const char *option; /* as typed; option_len ends before '=' */
    int option_len;
    const struct config_key *key; /* NULL for --config and the actions */
    bool is_config;
    enum config_action action; /* CONFIG_RUN for --config and for keys */
    const char *value;         /* NULL for actions */
};

static const struct config_key *find_option(struct slice option)
{
    char name[64];
    if (!slice_starts(option, "--") ||
        !slice_copy((struct slice){option.ptr + 2, option.len - 2}, name, sizeof name))
        return NULL;
    if (strchr(name, '_'))
        return NULL;
    for (char *at = name; *at; at++)
        *at = *at == '-' ? '_' : *at;
    return config_key_find(name);
}

static bool check_value(const struct argument *argument, const char *option, struct error *err)
{
    if (argument->action == CONFIG_RESTORE && (!argument->value || !argument->value[0]))
        return error_set(err, ERROR_INVALID, "%s needs the folder of a backup", option);
    return !argument->value || argument->action == CONFIG_VERIFY_LEDGER || argument->action == CONFIG_FSCK ||
           argument->action == CONFIG_RESTORE || error_set(err, ERROR_INVALID, "%s takes no value", option);
}

/* Reads the argument at *at with its value, and moves *at to the next argument. */
static bool next_argument(int argc, char **argv, int *at, struct argument *ret, struct error *err)
{
    const char *text = argv[(*at)++];
    struct slice value = slice_of(text), option;
    slice_split(&value, '=', &option);
    *ret = (struct argument){.option = text, .option_len = (int)option.len, .action = CONFIG_RUN};
    if (!slice_starts(option, "-"))
        return error_set(err, ERROR_INVALID, "'%.60s' is not an option; dfotad --help lists the options",
                         text);
    for (size_t i = 0; i < ACTIONS; i++)
        if (slice_is(option, action_table[i].option)) {
            ret->action = action_table[i].action;
            ret->value = value.ptr;
            if (ret->action == CONFIG_RESTORE && !value.ptr && *at < argc)
                ret->value = argv[(*at)++];
            return check_value(ret, action_table[i].option, err);
        }
    ret->is_config = slice_is(option, "--config");
    ret->key = find_option(option);
    if (!ret->is_config && !ret->key)
        return error_set(err, ERROR_INVALID, "there is no option %.*s; dfotad --help lists the options",
                         (int)(option.len < 60 ? option.len : 60), text);
    ret->value = value.ptr ? value.ptr : *at < argc ? argv[(*at)++] : NULL;
    if (!ret->value)
        return error_set(err, ERROR_INVALID, "%.*s needs a value", ret->option_len, text);
    return true;
}

static bool reads_config(enum config_action action)
{
    return action == CONFIG_RUN || action == CONFIG_CHECK || action == CONFIG_VERIFY_LEDGER ||
           action == CONFIG_LEDGER_HEAD || action == CONFIG_NEW_TOKEN || action == CONFIG_FSCK ||
           action == CONFIG_RESTORE || action == CONFIG_INIT;
}

/* First pass: finds the action, the configuration file, and the files that the actions take. Every argument
   must be an option. */
static bool survey(int argc, char **argv, enum config_action *ret_action, const char **ret_file,
                   struct config *ret, struct error *err)
{
    *ret_action = CONFIG_RUN;
    *ret_file = NULL;
    for (int at = 1; at < argc;) {
        struct argument argument;
        if (!next_argument(argc, argv, &at, &argument, err))
            return false;
        if (argument.is_config)
            *ret_file = argument.value;
        if (argument.action == CONFIG_VERIFY_LEDGER)
            ret->ledger_head = argument.value;
        if (argument.action == CONFIG_FSCK || argument.action == CONFIG_RESTORE)
            ret->backup = argument.value;
        if (reads_config(*ret_action) && (*ret_action == CONFIG_RUN || argument.action != CONFIG_RUN))
            *ret_action = argument.action;
    }
    return true;
}

static bool parse_arguments(int argc, char **argv, struct config *config, struct error *err)
{
    for (int at = 1; at < argc;) {
        struct argument argument;
        if (!next_argument(argc, argv, &at, &argument, err))
            return false;
        if (argument.key && !config_key_set(argument.key, argument.value, "command line", config, err))
            return false;
    }
    return true;
}

static bool set_defaults(struct config *config, struct error *err)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_table[i].name &&
            !config_key_set(&config_key_table[i], config_key_table[i].preset, "default", config, err))
            return false;
    return true;
}

/* --init makes the file when it is missing. */
static bool read_file(enum config_action action, struct config *config, struct error *err)
{
    if (action == CONFIG_INIT && !config->path)
        config->path = CONFIG_DEFAULT_PATH;
    bool is_missing = config->path && access(config->path, F_OK) != 0 && errno == ENOENT;
    if (!config->path || (action == CONFIG_INIT && is_missing))
        return true;
    config->was_read = true;
    return config_file_read(config->path, config, err);
}

bool config_load(int argc, char **argv, struct config *ret, enum config_action *ret_action, struct error *err)
{
    enum config_action action;
    struct config config = {.ledger_head = NULL};
    if (!survey(argc, argv, &action, &config.path, &config, err))
        return false;
    if (reads_config(action)) {
        if (!set_defaults(&config, err) || !read_file(action, &config, err) ||
            !parse_arguments(argc, argv, &config, err)) {
            config_free(&config);
            return false;
        }
        *ret = config;
    }
    *ret_action = action;
    return true;
}

void config_free(struct config *config)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (!config_key_table[i].owned)
            continue;
        char **text = config_key_field(&config_key_table[i], config);
        free(*text);
        *text = NULL;
    }
    free(config->file_text);
    config->file_text = NULL;
    firmware_section_free(config);
}

bool config_is_proxy(const struct config *config, const char *peer)
{
    struct slice rest = slice_of(config->device_proxies), one;
    const char *end = strrchr(peer, ':');
    if (!end || !rest.len)
        return false;
    struct slice host = {peer, (size_t)(end - peer)};
    if (host.len > 2 && host.ptr[0] == '[')
        host = (struct slice){host.ptr + 1, host.len - 2};
    for (bool more = true; more;) {
        more = slice_split(&rest, ' ', &one);
        if (one.len == host.len && memcmp(one.ptr, host.ptr, host.len) == 0)
            return true;
    }
    return false;
}

int config_answer_status(const struct config *config, int code)
{
    char name[32];
    snprintf(name, sizeof name, "status_%d", code);
    const struct config_key *key = config_key_find(name);
    return key ? (int)*(const uint64_t *)((const char *)config + key->offset) : 400;
}

/* ---- The sample and the help ---- */

/* Prints ASCII text in lines of at most `width` columns that begin with `prefix`. */
static void print_wrapped(FILE *out, const char *prefix, size_t width, const char *text)
{
    size_t column = 0;
    while (*text) {
        size_t length = strcspn(text, " ");
        if (column > 0 && column + 1 + length > width) {
            fputc('\n', out);
            column = 0;
        }
        fputs(column == 0 ? prefix : " ", out);
        fwrite(text, 1, length, out);
        column += (column == 0 ? strlen(prefix) : 1) + length;
        text += length + strspn(text + length, " ");
    }
    fputc('\n', out);
}

void config_print_sample(FILE *out)
{
    fputs(
        "# Configuration of dfotad. Each key is listed with its default.\n"
        "# Remove the # before a key to change it.\n"
        "# Options on the command line win over this file: data_dir here is --data-dir there.\n"
        "# See dfota.conf(5).\n",
        out);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_key_table[i];
        if (!key->name) {
            fprintf(out, "\n\n# ---- %s ----\n", key->help);
            continue;
        }
        fputc('\n', out);
        print_wrapped(out, "# ", SAMPLE_WIDTH, key->help);
        fprintf(out, "#%s =%s%s\n", key->name, key->preset[0] ? " " : "", key->preset);
    }
    fputs("\n\n# ---- Settings for the packages of one firmware ----\n\n", out);
    print_wrapped(
        out, "# ", SAMPLE_WIDTH,
        "Write these sections at the end of the file, one per firmware. The section * is for all firmwares "
        "without a section. These keys cannot be set on the command line.");
    fputs("#[firmware *]\n", out);
    for (size_t i = 0; i < FIRMWARE_FIELDS; i++) {
        fputc('\n', out);
        print_wrapped(out, "# ", SAMPLE_WIDTH, firmware_section_keys[i].help);
        fprintf(out, "#%s =\n", firmware_section_keys[i].name);
    }
}

size_t config_print_options(FILE *out, int argc, char **argv)
{
    size_t count = 0;
    for (int at = 1; at < argc;) {
        struct argument argument;
        struct error ignored;
        if (!next_argument(argc, argv, &at, &argument, &ignored))
            return count;
        if (argument.key && ++count && out)
            fprintf(out, "%s = %s\n", argument.key->name, argument.value);
    }
    return count;
}

static void print_option(FILE *out, const struct config_key *key)
{
    fputs("  --", out);
    for (const char *at = key->name; *at; at++)
        fputc(*at == '_' ? '-' : *at, out);
    fprintf(out, " %s", key->argument);
    if (key->preset[0])
        fprintf(out, "  (%s)", key->preset);
    fputc('\n', out);
    print_wrapped(out, "      ", HELP_WIDTH, key->help);
}

void config_print_help(FILE *out)
{
    fputs(
        "dfotad updates the firmware of cellular modules. It makes a delta from the\n"
        "version that a module runs to its target version, and sends the delta.\n\n"
        "  dfotad [--config FILE] [OPTION VALUE]...\n\n"
        "  --config FILE\n"
        "      Read keys from FILE. Options on the command line win over the file.\n",
        out);
    for (size_t i = 0; i < ACTIONS; i++) {
        fprintf(out, "  %s\n", action_table[i].option);
        print_wrapped(out, "      ", HELP_WIDTH, action_table[i].help);
    }
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_key_table[i].name)
            print_option(out, &config_key_table[i]);
        else
            fprintf(out, "\n%s\n", config_key_table[i].help);
    }
    fputs("\ndfota.conf(5) explains the sections [firmware NAME] of the file.\n", out);
}
