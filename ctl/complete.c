/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/slice.h"
#include "ctl/command.h"
#include "ctl/profile.h"

#define WORDS_MAX 64
#define WAIT_S    1
#define SHOWN_MAX "200" /* names from the server */

struct completion {
    struct ctl_options options; /* what is on the command line so far */
    char *words[WORDS_MAX + 1]; /* the words that are not options, NULL-terminated */
    size_t count;
    const char *typed; /* the beginning of the last word */
    const struct command *command;
    char **args; /* of the command, within words */
};

static void offer(const struct completion *completion, const char *name, size_t len, const char *help)
{
    size_t typed = strlen(completion->typed);
    if (len < typed || memcmp(name, completion->typed, typed) != 0 || memchr(name, '\n', len))
        return;
    printf("%.*s%s%s\n", (int)len, name, help ? "\t" : "", help ? help : "");
}

static void offer_alternatives(const struct completion *completion, const char *list)
{
    struct slice rest = slice_of(list), word;
    while (slice_split(&rest, '|', &word))
        offer(completion, word.ptr, word.len, NULL);
}

/* From the server */

/* The firmware that the line names, else the only one. The caller frees *ret. */
static bool find_firmware(struct session *session, const struct completion *completion, char **ret,
                          struct failure *fail)
{
    const char *named = completion->options.firmware;
    const struct command *command = completion->command;
    if (!named && command && strncmp(command->arguments, "FIRMWARE ", 9) == 0)
        named = completion->args[0];
    *ret = named ? strdup(named) : NULL;
    return *ret || (!named && session_only_firmware(session, ret, fail));
}

/* What the arguments of a kind are on the server. `below`: of a product or firmware. */
static const struct source {
    const char *kind, *list, *key;
    enum { OF_SERVER, OF_PRODUCT, OF_FIRMWARE } below;
} sources[] = {
    {"KEY", "products", "product_key", OF_SERVER}, {"WEBHOOK", "webhooks", "name", OF_SERVER},
    {"TOKEN", "tokens", "name", OF_SERVER},        {"FIRMWARE", NULL, "firmware", OF_PRODUCT},
    {"SECRET", "secrets", "secret", OF_PRODUCT},   {"DEVICE", "devices", "device", OF_PRODUCT},
    {"VERSION", "images", "version", OF_FIRMWARE}, {"FROM", "images", "version", OF_FIRMWARE},
    {"TO", "images", "version", OF_FIRMWARE},      {"CAMPAIGN", "campaigns", "name", OF_FIRMWARE},
};

static const struct source *find_source(const char *kind)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
        if (strcmp(sources[i].kind, kind) == 0)
            return &sources[i];
    return NULL;
}

/* Only devices that begin as what is typed: there may be more devices than one page has. */
static bool ask_beginning(const struct completion *completion, struct client_path *path, struct failure *fail)
{
    char filter[128];
    const char *typed = completion->typed;
    bool plain =
        typed[0] &&
        strspn(typed, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._:-") == strlen(typed);
    if (plain && (size_t)snprintf(filter, sizeof filter, "device like \"%s*\"", typed) < sizeof filter &&
        !client_path_query(path, "q", filter, fail))
        return false;
    return client_path_query(path, "limit", SHOWN_MAX, fail);
}

static bool fetch(struct session *session, const struct completion *completion, const struct source *source,
                  json_t **ret, struct failure *fail)
{
    struct client_path path = {.len = 0};
    char *firmware = NULL;
    bool ok = true;
    if (source->below == OF_FIRMWARE)
        ok = find_firmware(session, completion, &firmware, fail) &&
             session_path(session, &path, fail, "firmware", firmware, source->list, NULL);
    else if (source->below == OF_PRODUCT)
        ok = session_path(session, &path, fail, source->list ? source->list : "firmware", NULL);
    else
        ok = client_path_add(&path, source->list, fail);
    free(firmware);
    return ok && (strcmp(source->kind, "DEVICE") != 0 || ask_beginning(completion, &path, fail)) &&
           client_get(session->client, path.text, ret, fail);
}

/* Offers the names of a list. What has ended cannot be named in a command that changes it. */
static void offer_items(const struct completion *completion, const json_t *items, const char *key)
{
    const json_t *item;
    size_t i;
    json_array_foreach (items, i, item) {
        const json_t *name = json_object_get(item, key);
        char number[24];
        snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(name));
        const char *text = json_is_integer(name) ? number : json_string_value(name);
        if (text && !json_is_integer(json_object_get(item, "revoked_at")))
            offer(completion, text, strlen(text), NULL);
    }
}

static void offer_names(const struct completion *given, const char *kind)
{
    struct session session;
    struct failure ignored;
    struct completion completion = *given;
    const struct source *source = find_source(kind);
    json_t *answer = NULL;
    char *no_args[] = {NULL};
    completion.options.timeout_s = WAIT_S;
    completion.options.output = completion.options.columns = NULL;
    if (!source || !session_open(&completion.options, no_args, &session, &ignored))
        return;
    if (fetch(&session, &completion, source, &answer, &ignored))
        offer_items(&completion, json_object_get(answer, "items"), source->key);
    json_decref(answer);
    session_close(&session);
}

/* Arguments */

static void offer_profile(void *cls, const char *name)
{
    offer(cls, name, strlen(name), NULL);
}

/* `kind` is how help names the argument: FIRMWARE, yes|no, FILE. */
static void offer_kind(struct completion *completion, const char *kind)
{
    if (strcmp(kind, "FILE") == 0 || strcmp(kind, "DIR") == 0 || strcmp(kind, "OUT") == 0)
        puts(":file");
    else if (strchr(kind, '|') && strcmp(kind, "DEVICE|FIRMWARE") != 0)
        offer_alternatives(completion, kind);
    else if (strcmp(kind, "DEVICE|FIRMWARE") == 0)
        offer_names(completion, completion->options.all ? "FIRMWARE" : "DEVICE");
    else
        offer_names(completion, strcmp(kind, "NEW_DEVICE") == 0 ? "DEVICE" : kind);
}

/* The n-th argument in "FIRMWARE [VERSION] FILE…", without [ ] and …; the last one with … repeats. */
static void offer_argument(struct completion *completion, const char *arguments, size_t n)
{
    char kind[64];
    for (struct slice rest = slice_of(arguments), word; slice_split(&rest, ' ', &word);) {
        bool repeats = memmem(word.ptr, word.len, "…", strlen("…"));
        if (n > 0 && !repeats) {
            n--;
            continue;
        }
        size_t start = word.len > 0 && word.ptr[0] == '[', len = 0;
        while (start + len < word.len && !strchr("]\xE2", word.ptr[start + len]))
            len++;
        snprintf(kind, sizeof kind, "%.*s", (int)len, word.ptr + start);
        offer_kind(completion, kind);
        return;
    }
}

/* Options */

static void offer_options(const struct completion *completion)
{
    bool takes[OPTIONS] = {false};
    if (completion->command)
        command_list_options(completion->command, takes);
    for (unsigned i = 0; i < OPTIONS; i++) {
        char name[64];
        const struct options_row *row = option_row(i);
        if (i > OPTION_HELP && !takes[i] && (i != OPTION_PROGRAM_VERSION || completion->count > 0))
            continue;
        int len = snprintf(name, sizeof name, "--%s", row->name);
        offer(completion, name, (size_t)len, row->help);
    }
}

/* The option that a word names; -1: none. *ret_value: behind its '=', or NULL. */
static int find_option(const struct completion *completion, const char *word, const char **ret_value)
{
    size_t len = strcspn(word, "=");
    *ret_value = word[len] ? word + len + 1 : NULL;
    for (int i = 0; i < OPTIONS; i++) {
        const struct options_row *row = option_row((enum option_id)i);
        bool own = completion->count == 0 || !completion->command || i <= OPTION_HELP;
        bool takes[OPTIONS] = {false};
        if (!own)
            command_list_options(completion->command, takes);
        if (!own && !takes[i])
            continue;
        if ((row->letter && word[0] == '-' && word[1] == row->letter && !word[2]) ||
            (strncmp(word, "--", 2) == 0 && strlen(row->name) == len - 2 &&
             memcmp(row->name, word + 2, len - 2) == 0))
            return i;
    }
    return -1;
}

static void set_option(struct completion *completion, int option, char *value)
{
    const struct options_row *row = option_row((enum option_id)option);
    void *member = (char *)&completion->options + row->member;
    struct error ignored;
    if (row->kind == OPTIONS_FLAG)
        *(bool *)member = true;
    else if (row->kind == OPTIONS_TEXT || row->kind == OPTIONS_WORD)
        *(char **)member = value;
    else if (option == OPTION_TOKEN)
        row->read(value, member, &ignored); /* erases it from the process list */
}

static void find_command(struct completion *completion)
{
    struct failure ignored;
    completion->command = NULL;
    completion->words[completion->count] = NULL;
    if (completion->count > 0)
        command_find(completion->words, &completion->command, &completion->args, &ignored);
}

static void offer_value(struct completion *completion, int option)
{
    const struct options_row *row = option_row((enum option_id)option);
    if (option == OPTION_PROFILE)
        profile_list(offer_profile, completion);
    else if (option == OPTION_FIRMWARE)
        offer_names(completion, "FIRMWARE");
    else if (option == OPTION_CSV || option == OPTION_DEVICES || option == OPTION_AGAINST)
        puts(":file");
    else if (row->argument && option != OPTION_PRODUCT && option != OPTION_KEY && option != OPTION_TOKEN)
        offer_kind(completion, row->argument);
    else if (option == OPTION_PRODUCT)
        offer_names(completion, "KEY");
}

/* Words */

/* An earlier row of the table has this first word. */
static bool was_offered(size_t row, size_t len)
{
    const char *name = command_table[row].name;
    for (size_t i = 0; i < row; i++)
        if (strcspn(command_table[i].name, " ") == len && memcmp(command_table[i].name, name, len) == 0)
            return true;
    return false;
}

static void offer_commands(const struct completion *completion)
{
    const char *group = completion->words[0];
    for (size_t i = 0; i < command_table_count; i++) {
        const char *name = command_table[i].name;
        size_t len = strcspn(name, " ");
        if (group && command_in_group(&command_table[i], group))
            offer(completion, name + len + 1, strlen(name + len + 1), command_table[i].summary);
        if (!group && !was_offered(i, len))
            offer(completion, name, len, name[len] ? NULL : command_table[i].summary);
    }
}

/* Reads all words but the last one. The option whose value is the last word, or -1. */
static int read_words(struct completion *completion, char **words)
{
    const char *value;
    int pending = -1;
    bool ended = false;
    for (; words[0] && words[1]; words++) {
        if (pending >= 0 && strcmp(words[0], "=") == 0) /* bash splits at = */
            continue;
        if (pending >= 0) {
            set_option(completion, pending, words[0]);
            pending = -1;
        } else if (!ended && strcmp(words[0], "--") == 0) {
            ended = true;
        } else if (!ended && words[0][0] == '-' && words[0][1]) {
            int option = find_option(completion, words[0], &value);
            if (option >= 0 && option_row((enum option_id)option)->argument && !value)
                pending = option;
            else if (option >= 0)
                set_option(completion, option, words[0] + strcspn(words[0], "=") + 1);
        } else if (completion->count < WORDS_MAX) {
            completion->words[completion->count++] = words[0];
            find_command(completion);
        }
    }
    completion->typed = !words[0] || (pending >= 0 && strcmp(words[0], "=") == 0) ? "" : words[0];
    return pending;
}

void complete_print(char **words)
{
    struct completion completion = {.count = 0};
    const char *value;
    int pending = read_words(&completion, words), option = -1;
    if (pending < 0 && completion.typed[0] == '-')
        option = find_option(&completion, completion.typed, &value);
    if (pending >= 0) {
        offer_value(&completion, pending);
    } else if (completion.typed[0] == '-') {
        if (option < 0 || !value)
            offer_options(&completion);
    } else if (completion.count > 0 && strcmp(completion.words[0], "help") == 0) {
        memmove(completion.words, completion.words + 1, completion.count * sizeof *completion.words);
        offer_commands(&completion);
    } else if (completion.command) {
        size_t n = 0;
        while (completion.args[n])
            n++;
        offer_argument(&completion, completion.command->arguments, n);
    } else {
        offer_commands(&completion);
    }
}
