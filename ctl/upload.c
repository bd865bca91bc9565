/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl image upload: streams each file in a request of its own. */
#include <string.h>
#include "base/cleanup.h"
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/firmware.h"
#include "ctl/image.h"
#include "ctl/input.h"

/* The path for a file: from its name, or from --firmware and --version. */
static bool find_path(struct session *session, const char *file_name, struct client_path *ret,
                      struct failure *fail)
{
    const char *firmware = session->options->firmware;
    const char *version = session->options->version;
    const char *slash = strrchr(file_name, '/');
    if (firmware)
        return session_path(session, ret, fail, "firmware", firmware, "images", version, NULL) &&
               image_add_kind(session, ret, fail);
    return session_path(session, ret, fail, "images", NULL) &&
           client_path_query(ret, "filename", slash ? slash + 1 : file_name, fail) &&
           image_add_kind(session, ret, fail);
}

static bool upload_one(struct session *session, const char *file_name, json_t **ret, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (strcmp(file_name, "-") == 0 && !session->options->firmware)
        return failure_set(fail, EXIT_USAGE, "standard input has no file name: add --firmware and --version");
    if (!input_open(file_name, &file, fail) || !find_path(session, file_name, &path, fail))
        return false;
    struct client_call call = {
        .method = session->options->firmware ? "PUT" : "POST",
        .path = path.text,
        .file = file,
        .file_type = "application/octet-stream",
        .label = file_name,
    };
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    *ret = json_incref(answer.json);
    client_answer_clear(&answer);
    return *ret || failure_set(fail, EXIT_UNREACHABLE, "the server sent an empty answer");
}

/* Prints one note for each firmware without a package format. Failures here are ignored: the upload has
   succeeded. */
static void note_formats(struct session *session, const json_t *images)
{
    struct failure ignored;
    json_t *told = json_object(), *image;
    size_t i;
    json_array_foreach (images, i, image) {
        const char *name = json_string_value(json_object_get(image, "firmware"));
        json_t *firmware = NULL;
        if (!name || json_object_get(told, name))
            continue;
        json_object_set_new(told, name, json_true());
        if (firmware_fetch(session, name, &firmware, &ignored) &&
            json_is_null(json_object_get(firmware, "format")))
            firmware_note_format(firmware);
        json_decref(firmware);
    }
    json_decref(told);
}

/* A wrong file name may have created a firmware, so the note says which firmware is new. */
static void note_created(const json_t *images)
{
    const json_t *image;
    size_t i;
    json_array_foreach (images, i, image) {
        const char *notice = json_string_value(json_object_get(image, "notice"));
        const char *name = json_string_value(json_object_get(image, "firmware"));
        if (!name || !json_is_true(json_object_get(image, "firmware_created")))
            continue;
        session_note("firmware %s is new: this upload created it", name);
        if (notice && !json_is_null(json_object_get(image, "format")))
            session_note("%s: %s", name, notice);
    }
}

/* Uploads all files; `images` gets the answers. After a refusal the other files follow; any other failure
   ends it. */
static bool upload_all(struct session *session, json_t *images, struct failure *fail)
{
    bool all = true;
    for (size_t i = 0; i < session->arg_count; i++) {
        json_t *image = NULL;
        struct failure why = {0};
        if (upload_one(session, session->args[i], &image, &why)) {
            json_array_append_new(images, image);
            continue;
        }
        *fail = why;
        if (why.status != EXIT_USAGE) /* else the text has the name of the file */
            snprintf(fail->text, sizeof fail->text, "%s: %.1000s", session->args[i], why.text);
        if (why.status != EXIT_REFUSED || session->arg_count == 1)
            return false;
        session_note("%s (%s)", fail->text, why.code);
        all = false;
    }
    if (!all) {
        failure_set(fail, EXIT_REFUSED, "%zu of %zu files are uploaded", json_array_size(images),
                    session->arg_count);
        return false;
    }
    return true;
}

bool image_upload(struct session *session, struct failure *fail)
{
    const struct ctl_options *options = session->options;
    size_t i;
    json_t *image;
    if (!options->firmware != !options->version)
        return failure_set(fail, EXIT_USAGE, "--firmware and --version must be used together");
    if (options->firmware && session->arg_count > 1)
        return failure_set(fail, EXIT_USAGE, "--firmware and --version take only one file");
    json_t *images = json_array();
    bool ok = upload_all(session, images, fail);
    if (session->json)
        json_array_foreach (images, i, image)
            session_print_json(image);
    else if (json_array_size(images) > 0) {
        build_show(session, images, "version", "variant");
        table_print(stdout, images, &image_view);
        note_created(images);
        note_formats(session, images);
    }
    json_decref(images);
    return ok;
}
