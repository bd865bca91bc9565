/* dfotactl image list, image get */
#include "ctl/image.h"

#include <string.h>
#include "ctl/command.h"
#include "ctl/download.h"

static const struct table_column columns[] = {
    {"FIRMWARE", "firmware", TABLE_TEXT},    {"VERSION", "version", TABLE_TEXT},
    {"SIZE", "size", TABLE_NUMBER},          {"SHA256", "sha256", TABLE_HASH},
    {"UPLOADED", "uploaded_at", TABLE_TIME},
};
const struct table_view image_view = {columns, TABLE_COUNT(columns), "warnings", "warning: "};

static const struct table_column page_columns[] = {
    {"Firmware", "firmware", TABLE_TEXT},    {"Version", "version", TABLE_TEXT},
    {"Size", "size", TABLE_NUMBER},          {"SHA-256", "sha256", TABLE_HASH},
    {"Uploaded", "uploaded_at", TABLE_TIME}, {"File name", "file_name", TABLE_TEXT},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), "warnings", "warning: "};

/* Appends the images of one firmware to `items`. */
static bool collect(struct session *session, const char *firmware, json_t *items, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", firmware, "images", NULL) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    bool ok = json_array_extend(items, json_object_get(answer, "items")) == 0;
    json_decref(answer);
    return ok || failure_set(fail, EXIT_UNREACHABLE, "the server's answer is no list");
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
    bool ok =
        json_is_array(firmwares) || failure_set(fail, EXIT_UNREACHABLE, "the server's answer is no list");
    json_array_foreach(firmwares, i, firmware)
    {
        const char *name = json_string_value(json_object_get(firmware, "firmware"));
        if (ok)
            ok = name
                     ? collect(session, name, items, fail)
                     : failure_set(fail, EXIT_UNREACHABLE, "the server's list of firmware is not understood");
    }
    json_decref(answer);
    return ok;
}

bool image_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    if (session->arg_count > 0)
        return session_path(session, &path, fail, "firmware", session->args[0], "images", NULL) &&
               session_list(session, path.text, &image_view, fail);
    json_t *items = json_array();
    json_t *answer = json_pack("{s:O}", "items", items);
    bool ok = collect_all(session, items, fail) && session_print_list(session, answer, &image_view, fail);
    json_decref(answer);
    json_decref(items);
    return ok;
}

bool image_get(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *image = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "images", session->args[1], NULL) ||
        !client_get(session->client, path.text, &image, fail))
        return false;
    bool ok = client_path_add(&path, "content", fail) &&
              download(session->client, path.text, image, session->args[2], fail);
    if (ok)
        session_print_page(session, image, &page_view);
    json_decref(image);
    return ok;
}
