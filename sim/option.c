/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/option.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct row {
    const char *name, *argument, *help;
    char letter;
} table[OPTIONS] = {
#define X(id, name, letter, argument, help) [id] = {name, argument, help, letter},
    OPTION_TABLE(X)
#undef X
};

static void list_long(struct option list[OPTIONS + 1])
{
    for (int i = 0; i < OPTIONS; i++)
        list[i] = (struct option){table[i].name, table[i].argument ? required_argument : no_argument, NULL,
                                  256 + i};
    list[OPTIONS] = (struct option){0};
}

static void list_short(char list[2 * OPTIONS + 2])
{
    *list++ = ':';
    for (int i = 0; i < OPTIONS; i++) {
        if (!table[i].letter)
            continue;
        *list++ = table[i].letter;
        if (table[i].argument)
            *list++ = ':';
    }
    *list = '\0';
}

static int id_of(int found)
{
    if (found >= 256)
        return found - 256;
    for (int i = 0; i < OPTIONS; i++)
        if (table[i].letter == found)
            return i;
    return OPTIONS;
}

static bool take_known(struct options *options, const char *text, struct error *err)
{
    struct slice rest = slice_of(text), version;
    struct known_file *known = &options->know[options->know_count];
    if (options->know_count == KNOW_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "--know at most %d times", KNOW_MAX);
    if (!slice_split(&rest, '=', &version) || !rest.len || !release_read(version, known->version))
        return error_set(err, ERROR_BAD_REQUEST, "--know needs VERSION=FILE, not '%s'", text);
    known->path = rest.ptr;
    options->know_count++;
    return true;
}

bool option_parse(int argc, char **argv, struct options *ret, struct error *err)
{
    struct option long_list[OPTIONS + 1];
    char short_list[2 * OPTIONS + 2];
    struct options options = {0};
    list_long(long_list);
    list_short(short_list);
    opterr = 0;
    for (int found; (found = getopt_long(argc, argv, short_list, long_list, NULL)) != -1;) {
        int id = id_of(found);
        if (found == ':')
            return error_set(err, ERROR_BAD_REQUEST, "%s needs a value", argv[optind - 1]);
        if (id == OPTIONS)
            return error_set(err, ERROR_BAD_REQUEST, "there is no option %s", argv[optind - 1]);
        if (id == OPTION_KNOW) {
            if (!take_known(&options, optarg, err))
                return false;
        } else if (options.value[id]) {
            return error_set(err, ERROR_BAD_REQUEST, "--%s is given twice", table[id].name);
        }
        options.value[id] = optarg ? optarg : "";
    }
    if (optind < argc)
        options.file = argv[optind++];
    if (optind < argc)
        return error_set(err, ERROR_BAD_REQUEST, "what is '%s' for?", argv[optind]);
    *ret = options;
    return true;
}

bool option_number(const struct options *options, enum option_id id, uint64_t least, uint64_t most,
                   uint64_t *value, struct error *err)
{
    uint64_t number;
    if (!options->value[id])
        return true;
    if (!slice_u64(slice_of(options->value[id]), &number) || number < least || number > most)
        return error_set(err, ERROR_BAD_REQUEST, "--%s needs a number from %" PRIu64 " to %" PRIu64,
                         table[id].name, least, most);
    *value = number;
    return true;
}

bool option_release(const struct options *options, enum option_id id, char value[RELEASE_SIZE],
                    struct error *err)
{
    const char *text = options->value[id];
    if (text && !release_read(slice_of(text), value))
        return error_set(err, ERROR_BAD_REQUEST, "--%s: '%s' is no version such as 1138 or 1.5.2",
                         table[id].name, text);
    return true;
}

bool option_seconds(const struct options *options, enum option_id id, int64_t *value_ms, struct error *err)
{
    if (!options->value[id])
        return true;
    char *end;
    double seconds = strtod(options->value[id], &end);
    if (end == options->value[id] || *end || !(seconds >= 0 && seconds <= 86400))
        return error_set(err, ERROR_BAD_REQUEST, "--%s needs seconds, at most a day", table[id].name);
    *value_ms = (int64_t)(seconds * 1000);
    return true;
}

void option_print_help(void)
{
    puts(
        "dfota-sim plays cellular modules: they ask a server for firmware, apply what they get, and ask "
        "again.\n\n"
        "  dfota-sim --url URL --product-key KEY --firmware NAME --image FILE [OPTION]...\n"
        "  dfota-sim --link URL | --links FILE [OPTION]...\n"
        "  dfota-sim --make-image VERSION [--size BYTES] [--seed N] FILE\n");
    for (int i = 0; i < OPTIONS; i++) {
        char left[64];
        if (table[i].letter)
            snprintf(left, sizeof left, "-%c, --%s %s", table[i].letter, table[i].name,
                     table[i].argument ? table[i].argument : "");
        else
            snprintf(left, sizeof left, "    --%s %s", table[i].name,
                     table[i].argument ? table[i].argument : "");
        printf("  %-28s %s\n", left, table[i].help);
    }
    puts(
        "\nExit status: 0 all ended as wanted; 1 some did not; 2 usage; 3 the machine or the network is the "
        "reason.\n"
        "See dfota-sim(1).");
}
