/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl firmware …, target …, missing-bases */
#include "ctl/firmware.h"

#include <stdlib.h>
#include <string.h>
#include "ctl/campaign_effect.h"
#include "ctl/command.h"

static const struct table_column list_columns[] = {
    {"FIRMWARE", "firmware", TABLE_TEXT},         {"FORMAT", "format", TABLE_TEXT},
    {"LIMIT", "max_package_bytes", TABLE_NUMBER}, {"TARGET", "target", TABLE_TEXT},
    {"IMAGES", "images", TABLE_NUMBER},           {"DEVICES", "devices", TABLE_NUMBER},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "notice", "! "};

static const struct table_column page_columns[] = {
    {"Firmware", "firmware", TABLE_TEXT},
    {"Package format", "format", TABLE_TEXT},
    {"Package limit", "max_package_bytes", TABLE_NUMBER},
    {"Downgrades", "downgrades", TABLE_TEXT},
    {"Canary confirmations", "canary_confirmations", TABLE_NUMBER},
    {"Quarantine after", "quarantine_after", TABLE_NUMBER},
    {"Quarantined packages", "quarantined", TABLE_NUMBER},
    {"Hours", "hours", TABLE_TEXT},
    {"Bytes per month", "max_bytes_per_month", TABLE_NUMBER},
    {"Full packages", "full_packages", TABLE_TEXT},
    {"Target", "target", TABLE_TEXT},
    {"Images", "images", TABLE_NUMBER},
    {"Devices", "devices", TABLE_NUMBER},
    {"Created", "created_at", TABLE_TIME},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), "notice", "notice: "};

/* Quotes a word for the shell: a printed command can be copied. */
static void quote(const char *word, char *out, size_t size)
{
    size_t used = 0;
    if (word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+-")] == '\0') {
        snprintf(out, size, "%s", word);
        return;
    }
    out[used++] = '\'';
    for (; *word && used + 6 < size; word++)
        if (*word == '\'') {
            memcpy(out + used, "'\\''", 4);
            used += 4;
        } else {
            out[used++] = *word;
        }
    out[used++] = '\'';
    out[used] = '\0';
}

void firmware_note_format(const json_t *firmware)
{
    char quoted[512];
    const char *name = json_string_value(json_object_get(firmware, "firmware"));
    const char *notice = json_string_value(json_object_get(firmware, "notice"));
    const char *format = json_string_value(json_object_get(firmware, "fitting_format"));
    quote(name ? name : "", quoted, sizeof quoted);
    const char *end = notice ? strstr(notice, " (PATCH") : NULL; /* what follows is advice for the API */
    session_note("%.*s: dfotactl firmware set %s --format %s",
                 notice ? (int)(end ? end - notice : (long)strlen(notice)) : 0, notice ? notice : "", quoted,
                 format ? format : "FORMAT");
}

static void note_format(const struct session *session, const json_t *firmware)
{
    const char *name = json_string_value(json_object_get(firmware, "firmware"));
    if (!session->json && name && json_is_null(json_object_get(firmware, "format")))
        firmware_note_format(firmware);
}

/* Which limit the firmware has, and why; not again when the notice says so. */
static void note_limit(const struct session *session, const json_t *firmware)
{
    const char *note = json_string_value(json_object_get(firmware, "limit_note"));
    if (!session->json && note && json_is_null(json_object_get(firmware, "notice")))
        session_note("%s", note);
}

bool firmware_fetch(struct session *session, const char *firmware, json_t **ret, struct failure *fail)
{
    struct client_path path;
    return session_path(session, &path, fail, "firmware", firmware, NULL) &&
           client_get(session->client, path.text, ret, fail);
}

bool firmware_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL, *item;
    size_t i;
    if (!session_path(session, &path, fail, "firmware", NULL) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    bool ok = session_print_list(session, answer, &list_view, fail);
    json_array_foreach (json_object_get(answer, "items"), i, item)
        note_format(session, item);
    json_decref(answer);
    return ok;
}

bool firmware_show(struct session *session, struct failure *fail)
{
    json_t *firmware = NULL;
    if (!firmware_fetch(session, session->args[0], &firmware, fail))
        return false;
    session_print_page(session, firmware, &page_view);
    note_format(session, firmware);
    note_limit(session, firmware);
    json_decref(firmware);
    return true;
}

void firmware_note_format_of(struct session *session, const char *name)
{
    struct failure ignored;
    json_t *firmware = NULL;
    if (!firmware_fetch(session, name, &firmware, &ignored))
        firmware = json_pack("{s:s, s:s}", "firmware", name, "notice", "no package format is set");
    firmware_note_format(firmware);
    json_decref(firmware);
}

/* Changes a firmware, and prints the firmware afterwards. Takes over body. */
static bool change(struct session *session, const char *method, const struct client_path *path, json_t *body,
                   struct failure *fail)
{
    struct client_answer answer = {0};
    if (!session_check_json(body, fail))
        return false;
    bool ok = client_change(session->client, method, path->text, body, &answer, fail);
    if (ok && answer.json) {
        session_print_page(session, answer.json, &page_view);
        note_format(session, answer.json);
        note_limit(session, answer.json);
    }
    client_answer_clear(&answer);
    json_decref(body);
    return ok;
}

/* A number, or 0 for `zero`; -1: neither. */
static json_int_t number_or(const char *text, const char *zero)
{
    char *end;
    if (strcmp(text, zero) == 0)
        return 0;
    long long number = strtoll(text, &end, 10);
    return *end || end == text || number < 1 ? -1 : number;
}

static json_t *pack_settings(const struct ctl_options *options)
{
    json_t *format = !options->format                       ? NULL
                     : strcmp(options->format, "none") == 0 ? json_null()
                                                            : json_string(options->format);
    if (options->format && !format)
        return NULL;
    const char *month = options->max_bytes_per_month;
    return json_pack(
        "{s:o*, s:o*, s:o*, s:o*, s:o*, s:s*, s:o*, s:s*}", "format", format, "max_package_bytes",
        options->max_package_bytes ? json_integer((json_int_t)options->max_package_bytes) : NULL,
        "downgrades", options->downgrades ? json_boolean(options->downgrades[0] == 'y') : NULL,
        "canary_confirmations", options->canary ? json_integer(number_or(options->canary, "off")) : NULL,
        "quarantine_after",
        options->quarantine_after ? json_integer((json_int_t)options->quarantine_after) : NULL, "hours",
        options->hours, "max_bytes_per_month", month ? json_integer(number_or(month, "none")) : NULL,
        "full_packages", options->full_packages);
}

bool firmware_set(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    struct client_path path;
    if (!options->format && !options->downgrades && !options->max_package_bytes && !options->canary &&
        !options->quarantine_after && !options->hours && !options->max_bytes_per_month &&
        !options->full_packages)
        return failure_set(
            fail, EXIT_USAGE,
            "firmware set needs at least one of --format, --max-package-bytes, --downgrades, "
            "--canary, --quarantine-after, --hours, --max-bytes-per-month and --full-packages");
    if (options->max_bytes_per_month && number_or(options->max_bytes_per_month, "none") < 0)
        return failure_set(fail, EXIT_USAGE,
                           "--max-bytes-per-month takes a number from 1 on, or none, not '%s'",
                           options->max_bytes_per_month);
    if (options->canary && number_or(options->canary, "off") < 0)
        return failure_set(fail, EXIT_USAGE, "--canary takes a number from 1 on, or off, not '%s'",
                           options->canary);
    return session_path(session, &path, fail, "firmware", session->args[0], NULL) &&
           change(session, "PATCH", &path, pack_settings(options), fail);
}

bool firmware_rename(struct session *session, struct failure *fail)
{
    const char *by = session->options->by;
    struct client_path path;
    json_t *body = json_pack("{s:s, s:b}", "name", session->args[1], "force", session->options->force);
    if (!session_path(session, &path, fail, "firmware", session->args[0], NULL) ||
        (by && !client_path_query(&path, "by", by, fail))) {
        json_decref(body);
        return false;
    }
    return change(session, "PATCH", &path, body, fail);
}

bool firmware_delete(struct session *session, struct failure *fail)
{
    const char *by = session->options->by;
    struct client_path path;
    struct client_answer answer = {0};
    if (!session_path(session, &path, fail, "firmware", session->args[0], NULL) ||
        (by && !client_path_query(&path, "by", by, fail)) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    session_note("the firmware %s is deleted", session->args[0]);
    return true;
}

bool target_set(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *body = json_pack("{s:s}", "version", session->args[1]);
    if (!session_path(session, &path, fail, "firmware", session->args[0], "target", NULL))
        return false;
    return session->options->dry_run ? campaign_effect_show(session, "PUT", &path, body, fail)
                                     : change(session, "PUT", &path, body, fail);
}

bool target_clear(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!session_path(session, &path, fail, "firmware", session->args[0], "target", NULL) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    session_note("%s has no target now: its devices get no upgrade", session->args[0]);
    return true;
}

bool missing_bases_list(struct session *session, struct failure *fail)
{
    static const struct table_column columns[] = {
        {"VERSION", "version", TABLE_TEXT},
        {"DEVICES", "devices", TABLE_NUMBER},
    };
    static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};
    struct client_path path;
    return session_path(session, &path, fail, "firmware", session->args[0], "missing-bases", NULL) &&
           session_list(session, path.text, &view, fail);
}
