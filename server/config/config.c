/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/config.h"

#include <errno.h>
#include <ini.h>
#include <limits.h>
#include <string.h>
#include "base/cleanup.h"
#include "server/config/firmware_section.h"
#include "server/config/keys.h"
#include "upgrade/name.h"

#define SAMPLE_WIDTH 100u
#define HELP_WIDTH   80u

static const struct {
    const char *option;
    enum config_action action;
    const char *help;
} action_table[] = {
    {"--check-config", CONFIG_CHECK, "Read the configuration, say whether it is in order, and end."},
    {"--verify-ledger", CONFIG_VERIFY_LEDGER,
     "Recompute the ledger in data_dir, a server's or a backup, and end; --verify-ledger=FILE compares it with the head in FILE."},
    {"--ledger-head", CONFIG_LEDGER_HEAD, "Print the head of the ledger in data_dir, and end."},
    {"--print-config", CONFIG_PRINT,
     "Print every key with its meaning and default, as a file to start from, and end."},
    {"--help", CONFIG_HELP, "Print this and end."},
    {"--version", CONFIG_VERSION, "Print the version and end."},
};

#define ACTIONS (sizeof action_table / sizeof action_table[0])

/* ---- The file ---- */

struct reading {
    const char *path;
    FILE *file;
    int line; /* the one in hand, from 1 */
    char *text;
    size_t text_size;
    unsigned *set_at; /* by key: the line that set it, 0 for none */
    struct config *config;
    struct firmware_section *section; /* the [firmware NAME] that the line stands in, NULL: none */
    bool failed;
    struct error *err;
};

static void fail_line(struct reading *reading, const char *what)
{
    reading->failed = true;
    error_set(reading->err, ERROR_INVALID, "%s:%d: %s", reading->path, reading->line, what);
}

/* A line that begins a section; inih would cut its name. */
static void begin_section(struct reading *reading, const char *text)
{
    static const char firmware[] = "firmware";
    char name[FIRMWARE_NAME_SIZE];
    struct slice inner = {text + 1, strcspn(text + 1, "]")};
    reading->section = NULL;
    if (text[1 + inner.len] != ']' || !slice_starts(inner, firmware))
        return; /* inih complains of the first, and any other section means nothing */
    inner.ptr += strlen(firmware);
    inner.len -= strlen(firmware);
    if (inner.len > 0 && !strchr(" \t", inner.ptr[0]))
        return;
    for (; inner.len > 0 && strchr(" \t", inner.ptr[0]); inner.len--)
        inner.ptr++;
    while (inner.len > 0 && strchr(" \t", inner.ptr[inner.len - 1]))
        inner.len--;
    if (!name_is_firmware(inner) || !slice_copy(inner, name, sizeof name))
        fail_line(reading, "a section reads [firmware NAME], with the name of a firmware or *");
    else if (!firmware_section_get(reading->config, name, &reading->section, reading->err))
        reading->failed = true;
}

/* One line for inih, which would silently split a long one and take an indented one for a continuation. */
static char *read_line(char *out, int size, void *cls)
{
    struct reading *reading = cls;
    if (reading->failed)
        return NULL;
    errno = 0;
    ssize_t length = getline(&reading->text, &reading->text_size, reading->file);
    if (length < 0) {
        if (ferror(reading->file) || errno == ENOMEM) {
            error_errno(reading->err, errno, "cannot read %s", reading->path);
            reading->err->code = ERROR_INVALID;
            reading->failed = true;
        }
        return NULL;
    }
    reading->line++;
    const char *text = reading->text + strspn(reading->text, " \t");
    if (strlen(reading->text) != (size_t)length)
        fail_line(reading, "a NUL byte");
    else if (strlen(text) + 3 > (size_t)size)
        fail_line(reading, "the line is longer than can be read"); /* 197 bytes with Debian's inih */
    else if (text[0] == '[')
        begin_section(reading, text);
    if (reading->failed)
        return NULL;
    memcpy(out, text, strlen(text) + 1);
    return out;
}

static bool handle_firmware_line(struct reading *reading, const char *name, const char *value)
{
    struct error why;
    if (firmware_section_set(reading->section, name, value, (unsigned)reading->line, &why))
        return true;
    fail_line(reading, why.text);
    return false;
}

static int handle_line(void *cls, const char *section, const char *name, const char *value)
{
    struct reading *reading = cls;
    (void)section;
    if (reading->failed)
        return 0;
    if (reading->section)
        return handle_firmware_line(reading, name, value);
    const struct config_key *key = config_key_find(name);
    char text[160];
    if (!key) {
        bool clean = slice_is_clean_utf8(slice_of(name));
        snprintf(text, sizeof text, "there is no key %.60s", clean ? name : "of that name");
        fail_line(reading, text);
        return 0;
    }
    unsigned *set_at = &reading->set_at[key - config_key_table];
    if (*set_at) {
        snprintf(text, sizeof text, "%s is set in line %u already", key->name, *set_at);
        fail_line(reading, text);
        return 0;
    }
    *set_at = (unsigned)reading->line;
    char where[PATH_MAX + 16];
    snprintf(where, sizeof where, "%s:%d", reading->path, reading->line);
    reading->failed = !config_key_set(key, value, where, reading->config, reading->err);
    return reading->failed ? 0 : 1;
}

static bool read_file(const char *path, struct config *config, struct error *err)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file) {
        error_errno(err, errno, "cannot read %s", path);
        err->code = ERROR_INVALID;
        return false;
    }
    _cleanup_(cleanup_free) unsigned *set_at = calloc(config_key_count, sizeof *set_at);
    if (!set_at)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    struct reading reading = {.path = path, .file = file, .set_at = set_at, .config = config, .err = err};
    int bad_line = ini_parse_stream(read_line, &reading, handle_line, &reading);
    free(reading.text);
    if (bad_line > 0 && !(reading.failed && bad_line == reading.line))
        return error_set(err, ERROR_INVALID, "%s:%d: this does not read key = value", path, bad_line);
    return !reading.failed;
}

/* ---- The command line ---- */

struct argument {
    const char *option; /* as typed, up to '=' */
    int option_len;
    const struct config_key *key; /* NULL for --config and the actions */
    bool is_config;
    enum config_action action; /* CONFIG_RUN for --config and keys */
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

/* Reads the argument at *at, and its value, and moves *at behind them. */
static bool next_argument(int argc, char **argv, int *at, struct argument *ret, struct error *err)
{
    const char *text = argv[(*at)++];
    struct slice value = slice_of(text), option;
    slice_split(&value, '=', &option);
    *ret = (struct argument){.option = text, .option_len = (int)option.len, .action = CONFIG_RUN};
    if (!slice_starts(option, "-"))
        return error_set(err, ERROR_INVALID, "'%.60s' is no option; dfotad --help lists them", text);
    for (size_t i = 0; i < ACTIONS; i++)
        if (slice_is(option, action_table[i].option)) {
            ret->action = action_table[i].action;
            ret->value = value.ptr;
            return !value.ptr || ret->action == CONFIG_VERIFY_LEDGER ||
                   error_set(err, ERROR_INVALID, "%s takes no value", action_table[i].option);
        }
    ret->is_config = slice_is(option, "--config");
    ret->key = find_option(option);
    if (!ret->is_config && !ret->key)
        return error_set(err, ERROR_INVALID, "there is no option %.*s; dfotad --help lists them",
                         (int)(option.len < 60 ? option.len : 60), text);
    ret->value = value.ptr ? value.ptr : *at < argc ? argv[(*at)++] : NULL;
    if (!ret->value)
        return error_set(err, ERROR_INVALID, "%.*s needs a value", ret->option_len, text);
    return true;
}

/* The other actions read no file. */
static bool reads_config(enum config_action action)
{
    return action == CONFIG_RUN || action == CONFIG_CHECK || action == CONFIG_VERIFY_LEDGER ||
           action == CONFIG_LEDGER_HEAD;
}

/* First look: is everything an option, what is asked for, and which file. */
static bool survey(int argc, char **argv, enum config_action *ret_action, const char **ret_file,
                   const char **ret_head, struct error *err)
{
    *ret_action = CONFIG_RUN;
    *ret_file = *ret_head = NULL;
    for (int at = 1; at < argc;) {
        struct argument argument;
        if (!next_argument(argc, argv, &at, &argument, err))
            return false;
        if (argument.is_config)
            *ret_file = argument.value;
        if (argument.action == CONFIG_VERIFY_LEDGER)
            *ret_head = argument.value;
        if (reads_config(*ret_action) && (*ret_action == CONFIG_RUN || argument.action != CONFIG_RUN))
            *ret_action = argument.action;
    }
    return true;
}

static bool take_arguments(int argc, char **argv, struct config *config, struct error *err)
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

static bool take_defaults(struct config *config, struct error *err)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_table[i].name &&
            !config_key_set(&config_key_table[i], config_key_table[i].preset, "default", config, err))
            return false;
    return true;
}

bool config_load(int argc, char **argv, struct config *ret, enum config_action *ret_action, struct error *err)
{
    enum config_action action;
    const char *path, *head;
    if (!survey(argc, argv, &action, &path, &head, err))
        return false;
    if (reads_config(action)) {
        struct config config = {.ledger_head = head};
        if (!take_defaults(&config, err) || (path && !read_file(path, &config, err)) ||
            !take_arguments(argc, argv, &config, err)) {
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

/* Text in lines of at most `width` columns (ASCII), each begun with `prefix`. */
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
        "# Configuration of dfotad. Every key stands here with its default: take away the # before a key to "
        "change it.\n"
        "# The command line wins over this file (data_dir here is --data-dir there). See dfota.conf(5).\n",
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
    fputs("\n\n# ---- What is special about the packages of one firmware ----\n\n", out);
    print_wrapped(
        out, "# ", SAMPLE_WIDTH,
        "One section for each, at the end of this file; with * for all firmwares that have no section of "
        "their own. None of these keys is an option of the command line.");
    fputs("#[firmware *]\n", out);
    for (size_t i = 0; i < FIRMWARE_FIELDS; i++) {
        fputc('\n', out);
        print_wrapped(out, "# ", SAMPLE_WIDTH, firmware_section_keys[i].help);
        fprintf(out, "#%s =\n", firmware_section_keys[i].name);
    }
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
        "dfotad gives cellular modules the delta from the firmware they run to the one\n"
        "they should run.\n\n"
        "  dfotad [--config FILE] [OPTION VALUE]...\n\n"
        "  --config FILE\n"
        "      Read keys from FILE. Options on the command line win over it.\n",
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
    fputs("\nSections [firmware NAME] of the file are explained in dfota.conf(5).\n", out);
}
