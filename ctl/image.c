/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl image list, image get */
#include "ctl/image.h"

#include <stdio.h>
#include <string.h>
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/download.h"

static const struct table_column columns[] = {
    {"FIRMWARE", "firmware", TABLE_TEXT},    {"VERSION", "version", TABLE_TEXT},
    {"SIZE", "size", TABLE_NUMBER},          {"SHA256", "sha256", TABLE_HASH},
    {"UPLOADED", "uploaded_at", TABLE_TIME},
};
const struct table_view image_view = {columns, TABLE_COUNT(columns), "warnings", "warning: "};

static const struct table_column page_columns[] = {
    {"Firmware", "firmware", TABLE_TEXT},
    {"Version", "version", TABLE_TEXT},
    {"Kind", "kind", TABLE_TEXT},
    {"Core", "core", TABLE_TEXT},
    {"Content", "content", TABLE_TEXT},
    {"Size", "size", TABLE_NUMBER},
    {"SHA-256", "sha256", TABLE_HASH},
    {"Uploaded", "uploaded_at", TABLE_TIME},
    {"File name", "file_name", TABLE_TEXT},
    {"Withdrawn", "withdrawn.at", TABLE_TIME},
    {"  because", "withdrawn.reason", TABLE_TEXT},
    {"Waypoint", "waypoint", TABLE_TEXT},
    {"  because", "waypoint_reason", TABLE_TEXT},
};
const struct table_view image_page_view = {page_columns, TABLE_COUNT(page_columns), "warnings", "warning: "};

/* Appends the images of one firmware to `items`. */
static bool collect(struct session *session, const char *firmware, json_t *items, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", firmware, "images", NULL) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    bool ok = json_array_extend(items, json_object_get(answer, "items")) == 0;
    json_decref(answer);
    return ok || failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a list");
}

/* Adds a line to the warnings, which are printed under the row of the image. */
static void add_note(json_t *image, const char *what, const char *reason)
{
    char text[400];
    json_t *warnings = json_object_get(image, "warnings");
    snprintf(text, sizeof text, "%s%s%.320s", what, reason ? ": " : "", reason ? reason : "");
    json_array_append_new(warnings, json_string(text));
}

static void note_default(json_t *image)
{
    if (json_is_true(json_object_get(image, "default")))
        add_note(image, "the default of this version: assumed for devices whose build is not known", NULL);
}

void image_print_page(struct session *session, json_t *image)
{
    if (!session->json)
        note_default(image);
    build_show(session, image, "version", "variant");
    session_print_page(session, image, &image_page_view);
}

static void add_notes(json_t *items)
{
    json_t *image;
    size_t i;
    json_array_foreach (items, i, image) {
        note_default(image);
        const json_t *withdrawn = json_object_get(image, "withdrawn");
        const char *core = json_string_value(json_object_get(image, "core"));
        const char *waypoint = json_string_value(json_object_get(image, "waypoint"));
        const char *reason = json_string_value(json_object_get(image, "waypoint_reason"));
        if (core)
            add_note(image, "full package, for core", core);
        if (json_is_object(withdrawn))
            add_note(image, "withdrawn", json_string_value(json_object_get(withdrawn, "reason")));
        if (waypoint && strcmp(waypoint, "forbidden") == 0)
            add_note(image, "no path stops at this version", reason);
        if (waypoint && strcmp(waypoint, "required") == 0)
            add_note(image, "every path past this version stops at it", reason);
    }
}

static bool print(const struct session *session, const json_t *answer, struct failure *fail)
{
    if (!session->json)
        add_notes(json_object_get(answer, "items"));
    build_show(session, json_object_get(answer, "items"), "version", "variant");
    return session_print_list(session, answer, &image_view, fail);
}

static bool list_one(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "images", NULL) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    bool ok = print(session, answer, fail);
    json_decref(answer);
    return ok;
}

static bool collect_all(struct session *session, json_t *items, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL, *firmware;
    size_t i;
    if (!session_path(session, &path, fail, "firmware", NULL) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    const json_t *firmwares = json_object_get(answer, "items");
    bool ok = json_is_array(firmwares) ||
              failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a list");
    json_array_foreach (firmwares, i, firmware) {
        const char *name = json_string_value(json_object_get(firmware, "firmware"));
        if (ok)
            ok = name ? collect(session, name, items, fail)
                      : failure_set(fail, EXIT_UNREACHABLE,
                                    "the list of firmwares from the server is not understood");
    }
    json_decref(answer);
    return ok;
}

bool image_add_kind(const struct session *session, struct client_path *path, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    return (!options->as || client_path_query(path, "format", options->as, fail)) &&
           (!options->variant || client_path_query(path, "variant", options->variant, fail));
}

bool image_list(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    if (session->arg_count > 0)
        return list_one(session, fail);
    if (options->sort)
        return failure_set(fail, EXIT_USAGE,
                           "image list --sort needs the firmware: image list FIRMWARE --sort %s",
                           options->sort);
    json_t *items = json_array();
    json_t *answer = json_pack("{s:O}", "items", items);
    bool ok = collect_all(session, items, fail);
    while (ok && options->limit && json_array_size(items) > options->limit)
        json_array_remove(items, json_array_size(items) - 1);
    ok = ok && print(session, answer, fail);
    json_decref(answer);
    json_decref(items);
    return ok;
}

bool image_get(struct session *session, struct failure *fail)
{
    struct client_path path, content;
    json_t *image = NULL;
    if (!build_image_path(session, NULL, &path, fail) ||
        !build_image_path(session, "content", &content, fail) ||
        !client_get(session->client, path.text, &image, fail))
        return false;
    bool ok = download(session->client, content.text, image, session->args[2], fail);
    if (ok)
        image_print_page(session, image);
    json_decref(image);
    return ok;
}
