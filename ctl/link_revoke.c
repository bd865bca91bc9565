/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl device revoke */
#include "ctl/link_revoke.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/input.h"
#include "ctl/progress.h"

static const struct table_column columns[] = {
    {"LINE", "line", TABLE_NUMBER},
    {"DEVICE", "device", TABLE_TEXT},
    {"RESULT", "result", TABLE_TEXT},
    {"LINKS", "links", TABLE_NUMBER},
};
static const struct table_view view = {columns, TABLE_COUNT(columns), "error", ""};

size_t link_count_valid(const json_t *device)
{
    size_t i, count = 0;
    json_t *link;
    json_array_foreach (json_object_get(device, "links"), i, link)
        count += json_is_null(json_object_get(link, "revoked_at"));
    return count;
}

/* ---- the file ---- */

/* The first field of a line, without blanks and quotes; "" for an empty line. */
static char *first_field(char *line)
{
    char *field = line + strspn(line, " \t");
    if (*field == '"') {
        field++;
        field[strcspn(field, "\"\r\n")] = '\0';
    }
    field[strcspn(field, ",;\r\n")] = '\0';
    for (size_t len = strlen(field); len > 0 && strchr(" \t", field[len - 1]); len--)
        field[len - 1] = '\0';
    return field;
}

static bool is_heading(const char *field)
{
    return strcasecmp(field, "imei") == 0 || strcasecmp(field, "device") == 0;
}

bool link_read_devices(const char *name, json_t **ret, struct failure *fail)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* of UTF-8, as some programs write it */
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    _cleanup_(cleanup_free) char *line = NULL;
    size_t room = 0;
    if (!input_open(name, &file, fail))
        return false;
    json_t *devices = json_array();
    bool ok = true;
    for (json_int_t number = 1; ok && getline(&line, &room, file) >= 0; number++) {
        bool marked = number == 1 && strncmp(line, mark, sizeof mark - 1) == 0;
        const char *field = first_field(line + (marked ? sizeof mark - 1 : 0));
        if (field[0] && !(json_array_size(devices) == 0 && is_heading(field)))
            ok = json_array_append_new(devices, json_pack("{s:I, s:s}", "line", number, "device", field)) ==
                     0 ||
                 failure_set(fail, EXIT_USAGE, "%s, line %lld is not valid UTF-8", name, (long long)number);
    }
    if (ok && ferror(file))
        ok = failure_set(fail, EXIT_USAGE, "cannot read %s: %s", name, strerror(errno));
    if (ok && json_array_size(devices) == 0)
        ok = failure_set(fail, EXIT_USAGE, "%s names no device: each line begins with an IMEI", name);
    if (ok)
        *ret = devices;
    else
        json_decref(devices);
    return ok;
}

/* ---- the calls ---- */

/* Revokes the links of one device, or one of them. */
static bool send_revocation(struct session *session, const char *device, struct failure *fail)
{
    const char *link = session->options->link;
    struct client_path path;
    struct client_answer answer = {0};
    if (!session_path(session, &path, fail, "devices", device, "links", link, NULL) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    return true;
}

/* The links that the device had are counted before: the answer to the call has no number. */
static bool revoke_one(struct session *session, const char *name, size_t *ret_links, struct failure *fail)
{
    struct client_path path;
    json_t *device = NULL;
    if (!session_path(session, &path, fail, "devices", name, NULL) ||
        !client_get(session->client, path.text, &device, fail))
        return false;
    *ret_links = link_count_valid(device);
    json_decref(device);
    return *ret_links == 0 || send_revocation(session, name, fail);
}

/* A failure that is not about this device ends the list: the others would fail too. */
static bool ends_list(const struct failure *why)
{
    return why->status == EXIT_UNREACHABLE || strcmp(why->code, "unauthorized") == 0 ||
           strcmp(why->code, "forbidden") == 0 || strcmp(why->code, "product-not-found") == 0;
}

/* Fills in what happened to each device. `counts`: revoked, had none, failed. */
static bool revoke_each(struct session *session, json_t *devices, size_t counts[3], struct failure *fail)
{
    json_t *row;
    size_t i;
    json_array_foreach (devices, i, row) {
        struct failure why = {0};
        size_t links = 0;
        const char *device = json_string_value(json_object_get(row, "device"));
        bool ok = revoke_one(session, device, &links, &why),
             unknown = strcmp(why.code, "device-not-found") == 0;
        if (!ok && ends_list(&why)) {
            *fail = why;
            snprintf(fail->text, sizeof fail->text, "%.900s. The lines from %s on were not handled", why.text,
                     device);
            while (json_array_size(devices) > i)
                json_array_remove(devices, i);
            return false;
        }
        counts[!ok ? 2 : links ? 0 : 1]++;
        json_object_set_new(row, "result",
                            json_string(unknown ? "unknown"
                                        : !ok   ? "refused"
                                        : links ? "revoked"
                                                : "had-none"));
        json_object_set_new(row, "links", ok ? json_integer((json_int_t)links) : json_null());
        json_object_set_new(row, "code", why.code[0] ? json_string(why.code) : json_null());
        json_object_set_new(row, "error", ok ? json_null() : json_string(why.text));
        progress_say(session->options->csv, device);
    }
    return true;
}

/* A table has the sentence only of what is not said by the word "unknown". */
static void drop_plain_errors(json_t *devices)
{
    json_t *row;
    size_t i;
    json_array_foreach (devices, i, row)
        if (strcmp(json_string_value(json_object_get(row, "result")), "unknown") == 0)
            json_object_del(row, "error");
}

static bool revoke_list(struct session *session, struct failure *fail)
{
    const char *product;
    struct failure why;
    json_t *devices;
    size_t counts[3] = {0};
    /* The product first: without one no line can be handled. */
    if (!session_product(session, &product, fail) ||
        !link_read_devices(session->options->csv, &devices, fail))
        return false;
    bool ok = revoke_each(session, devices, counts, fail);
    progress_end();
    if (!session->json)
        drop_plain_errors(devices);
    json_t *answer = json_pack("{s:o}", "items", devices);
    if (!session_print_list(session, answer, &view, &why) && ok) {
        *fail = why;
        ok = false;
    }
    json_decref(answer);
    if (!session->json)
        session_note("devices whose links are revoked: %zu; devices that had none: %zu", counts[0],
                     counts[1]);
    return ok && (counts[2] == 0 || failure_set(fail, EXIT_REFUSED, "lines that failed: %zu of %zu",
                                                counts[2], counts[0] + counts[1] + counts[2]));
}

bool link_check_revoke(const struct session *session, struct failure *fail)
{
    if (!session->options->csv == !session->args[0])
        return failure_set(fail, EXIT_USAGE, "device revoke takes either DEVICE or --csv FILE");
    return !session->options->csv || !session->options->link ||
           failure_set(fail, EXIT_USAGE, "--link and --csv cannot be used together");
}

bool device_revoke(struct session *session, struct failure *fail)
{
    const char *link = session->options->link, *device = session->args[0];
    if (!link_check_revoke(session, fail))
        return false;
    if (!device)
        return revoke_list(session, fail);
    if (!send_revocation(session, device, fail))
        return false;
    if (link)
        session_note("link %s of %s is revoked", link, device);
    else
        session_note("all links of %s are revoked", device);
    return true;
}
