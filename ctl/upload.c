/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl image upload: streams files, one request each. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "ctl/command.h"
#include "ctl/firmware.h"
#include "ctl/image.h"

bool upload_add_kind(const struct session *session, struct client_path *path, struct failure *fail)
{
    const char *as = session->options->value[OPTION_AS];
    if (as && strcmp(as, "raw") != 0)
        return failure_set(fail, EXIT_USAGE, "--as can only be raw, not %s", as);
    return !as || client_path_query(path, "format", as, fail);
}

/* Where one file goes: by its name, or as --firmware and --version say. */
static bool find_path(struct session *session, const char *file_name, struct client_path *ret,
                      struct failure *fail)
{
    const char *firmware = session->options->value[OPTION_FIRMWARE];
    const char *version = session->options->value[OPTION_VERSION];
    const char *slash = strrchr(file_name, '/');
    if (firmware)
        return session_path(session, ret, fail, "firmware", firmware, "images", version, NULL) &&
               upload_add_kind(session, ret, fail);
    return session_path(session, ret, fail, "images", NULL) &&
           client_path_query(ret, "filename", slash ? slash + 1 : file_name, fail) &&
           upload_add_kind(session, ret, fail);
}

static bool upload_one(struct session *session, const char *file_name, json_t **ret, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    struct stat info;
    _cleanup_(cleanup_fclose) FILE *file = fopen(file_name, "re");
    if (!file || fstat(fileno(file), &info) != 0)
        return failure_set(fail, EXIT_USAGE, "cannot read it: %s", strerror(errno));
    if (S_ISDIR(info.st_mode))
        return failure_set(fail, EXIT_USAGE, "it is a directory");
    if (!find_path(session, file_name, &path, fail))
        return false;
    struct client_call call = {
        .method = session->options->value[OPTION_FIRMWARE] ? "PUT" : "POST",
        .path = path.text,
        .file = file,
        .file_type = "application/octet-stream",
        .label = file_name,
    };
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    *ret = json_incref(answer.json);
    client_answer_clear(&answer);
    return *ret || failure_set(fail, EXIT_UNREACHABLE, "the server answered with nothing");
}

/* Tells of each firmware that cannot make packages yet, once. That the telling itself fails is no failure. */
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

/* A firmware that a file name made may be a slip of that name. */
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

/* Uploads them all into `images`; a refusal is told and remembered, anything else ends it. */
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
    const struct options *options = session->options;
    size_t i;
    json_t *image;
    if (!options->value[OPTION_FIRMWARE] != !options->value[OPTION_VERSION])
        return failure_set(fail, EXIT_USAGE, "--firmware and --version belong together");
    if (options->value[OPTION_FIRMWARE] && session->arg_count > 1)
        return failure_set(fail, EXIT_USAGE, "--firmware and --version are for one file");
    json_t *images = json_array();
    bool ok = upload_all(session, images, fail);
    if (session->json)
        json_array_foreach (images, i, image)
            session_print_json(image);
    else if (json_array_size(images) > 0) {
        table_print(stdout, images, &image_view);
        note_created(images);
        note_formats(session, images);
    }
    json_decref(images);
    return ok;
}
