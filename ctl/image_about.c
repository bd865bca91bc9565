/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl image show, image about */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/input.h"

static const struct table_column show_columns[] = {
    {"Firmware", "firmware", TABLE_TEXT},
    {"Version", "version", TABLE_TEXT},
    {"Kind", "kind", TABLE_TEXT},
    {"Size", "size", TABLE_NUMBER},
    {"SHA-256", "sha256", TABLE_HASH},
    {"Uploaded", "uploaded_at", TABLE_TIME},
    {"Purpose", "about.purpose", TABLE_TEXT},
    {"Release note", "about.release_note", TABLE_TEXT},
    {"Advisory", "about.advisory", TABLE_TEXT},
    {"SBOM", "about.sbom.format", TABLE_TEXT},
    {"  bytes", "about.sbom.size", TABLE_NUMBER},
    {"  SHA-256", "about.sbom.sha256", TABLE_HASH},
};
static const struct table_view show_view = {show_columns, TABLE_COUNT(show_columns), NULL, NULL};

bool image_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *image = NULL;
    if (!build_image_path(session, NULL, &path, fail) ||
        !client_get(session->client, path.text, &image, fail))
        return false;
    build_show(session, image, "version", "variant");
    session_print_page(session, image, &show_view);
    json_decref(image);
    return true;
}

static bool send(struct session *session, const char *what, struct client_call *call, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!build_image_path(session, what, &path, fail))
        return false;
    call->method = "PUT";
    call->path = path.text;
    bool ok = client_send(session->client, call, &answer, fail);
    client_answer_clear(&answer);
    return ok;
}

static bool send_sbom(struct session *session, const char *name, struct failure *fail)
{
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(name, &file, fail))
        return false;
    return send(session, "sbom",
                &(struct client_call){.file = file, .file_type = "application/json", .label = name}, fail);
}

bool image_about(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    bool texts = options->purpose || options->release_note || options->advisory;
    if (!texts && !options->sbom)
        return failure_set(fail, EXIT_USAGE, "give --purpose, --release-note, --advisory or --sbom");
    json_t *body = json_pack("{s:s*, s:s*, s:s*}", "purpose", options->purpose, "release_note",
                             options->release_note, "advisory", options->advisory);
    bool ok = session_check_json(body, fail) &&
              (!texts || send(session, "about", &(struct client_call){.json = body}, fail));
    json_decref(body);
    return ok && (!options->sbom || send_sbom(session, options->sbom, fail)) && image_show(session, fail);
}
