/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl image withdraw, image restore, image waypoint, image default, image delete */
#include <string.h>

#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/firmware.h"
#include "ctl/image.h"

/* Takes over body. */
static bool change(struct session *session, json_t *body, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!session_check_json(body, fail))
        return false;
    bool ok = build_image_path(session, NULL, &path, fail) &&
              client_change(session->client, "PATCH", path.text, body, &answer, fail);
    if (ok)
        image_print_page(session, answer.json);
    client_answer_clear(&answer);
    json_decref(body);
    return ok;
}

static bool has_target(struct session *session, bool *ret, struct failure *fail)
{
    json_t *firmware = NULL;
    if (!firmware_fetch(session, session->args[0], &firmware, fail))
        return false;
    *ret = json_is_string(json_object_get(firmware, "target"));
    json_decref(firmware);
    return true;
}

bool image_withdraw(struct session *session, struct failure *fail)
{
    bool before, after;
    json_t *body = json_pack("{s:b, s:s}", "withdrawn", 1, "reason", session->options->reason);
    if (!has_target(session, &before, fail))
        return json_decref(body), false;
    if (!change(session, body, fail) || !has_target(session, &after, fail))
        return false;
    if (before && !after)
        session_note("it was the target: %s has no target now, and its devices get no upgrade",
                     session->args[0]);
    return true;
}

bool image_restore(struct session *session, struct failure *fail)
{
    return change(session, json_pack("{s:b}", "withdrawn", 0), fail);
}

bool image_waypoint(struct session *session, struct failure *fail)
{
    const char *reason = session->options->reason;
    json_t *body = json_pack("{s:s, s:s*}", "waypoint", session->args[2], "reason", reason);
    return change(session, body, fail);
}

bool image_default(struct session *session, struct failure *fail)
{
    const char *word = session->args[2];
    bool yes = strcmp(word, "yes") == 0;
    if (!yes && strcmp(word, "no") != 0)
        return failure_set(fail, EXIT_USAGE, "image default: '%s' is not yes or no", word);
    return change(session, json_pack("{s:b}", "default", yes), fail);
}

bool image_delete(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    if (!build_image_path(session, NULL, &path, fail) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    const char *variant = session->options->variant;
    bool named = variant && variant[0];
    session_note("version %s%s%s%s of %s is deleted", session->args[1], named ? " (" : "",
                 named ? variant : "", named ? ")" : "", session->args[0]);
    return true;
}
