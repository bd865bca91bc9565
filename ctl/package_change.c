/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl package upload, forget, release, unrelease, quarantine, lift */
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/image.h"
#include "ctl/input.h"
#include "ctl/package.h"

#define TYPED_MIN 8 /* digits of the SHA-256 that an admin types */

/* The name of --by, DFOTA_BY or the profile, or the name of the user. */
static const char *who(const struct session *session)
{
    const char *by = session->by;
    const struct passwd *user = by ? NULL : getpwuid(getuid());
    return by ? by : user ? user->pw_name : "";
}

bool package_upload(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    const char *name = session->args[3];
    struct client_call call = {.method = "PUT", .file_type = "application/octet-stream", .label = name};
    if (!session->by)
        return failure_set(fail, EXIT_USAGE, "package upload needs --by NAME, or DFOTA_BY");
    if (!input_open(name, &file, fail) || !build_package_path(session, NULL, &path, fail) ||
        !client_path_query(&path, "by", who(session), fail) || !image_add_kind(session, &path, fail))
        return false;
    call.path = path.text;
    call.file = file;
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    package_print_page(session, answer.json);
    if (json_is_false(json_object_get(answer.json, "proven")))
        session_note(
            "the server cannot apply this package: no device gets it before an admin releases it "
            "(dfotactl package release)");
    client_answer_clear(&answer);
    return true;
}

/* Asks for the first digits of the SHA-256. False: they are wrong or missing. */
static bool ask(const json_t *package, struct failure *fail)
{
    char typed[256] = "";
    const char *sha256 = json_string_value(json_object_get(package, "sha256"));
    if (!sha256)
        return failure_set(fail, EXIT_REFUSED, "the package is not made yet: it cannot be released");
    fprintf(stderr,
            "This package is unproven. To release it for devices anyway, type at least the\n"
            "first %d digits of its SHA-256: ",
            TYPED_MIN);
    if (!fgets(typed, sizeof typed, stdin))
        typed[0] = '\0';
    typed[strcspn(typed, " \r\n")] = '\0';
    size_t len = strlen(typed);
    if (len < TYPED_MIN || strncasecmp(typed, sha256, len) != 0)
        return failure_set(fail, EXIT_USAGE, "this is not the SHA-256 of the package: nothing is released");
    return true;
}

static bool send_release(struct session *session, const json_t *package, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:O, s:s, s:s}", "sha256", json_object_get(package, "sha256"), "by",
                             who(session), "note", session->options->note);
    bool ok = session_check_json(body, fail) && build_package_path(session, "release", &path, fail) &&
              client_change(session->client, "POST", path.text, body, &answer, fail);
    if (ok)
        package_print_page(session, answer.json);
    client_answer_clear(&answer);
    json_decref(body);
    return ok;
}

bool package_release(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *package = NULL;
    bool yes = session->options->yes;
    bool ok = build_package_path(session, NULL, &path, fail) &&
              client_get(session->client, path.text, &package, fail);
    if (ok && !yes) {
        table_print_page(stderr, package, &package_page_view);
        ok = ask(package, fail);
    }
    ok = ok && send_release(session, package, fail);
    json_decref(package);
    return ok;
}

static bool take_away(struct session *session, const char *part, const char *done, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    char arrow[BUILD_ARROW_SIZE];
    if (!build_package_path(session, part, &path, fail) ||
        !client_path_query(&path, "by", who(session), fail) ||
        !client_change(session->client, "DELETE", path.text, NULL, &answer, fail))
        return false;
    client_answer_clear(&answer);
    build_write_arrow(session, arrow);
    session_note("the package %s of %s is %s", arrow, session->args[0], done);
    return true;
}

bool package_unrelease(struct session *session, struct failure *fail)
{
    return take_away(session, "release", "no longer released", fail);
}

bool package_forget(struct session *session, struct failure *fail)
{
    return take_away(session, NULL, "removed", fail);
}

bool package_lift(struct session *session, struct failure *fail)
{
    return take_away(session, "quarantine", "in service", fail);
}

bool package_quarantine(struct session *session, struct failure *fail)
{
    struct client_path path;
    struct client_answer answer = {0};
    char arrow[BUILD_ARROW_SIZE];
    json_t *body = json_pack("{s:s}", "reason", session->options->reason);
    bool ok = session_check_json(body, fail) && build_package_path(session, "quarantine", &path, fail) &&
              client_path_query(&path, "by", who(session), fail) &&
              client_change(session->client, "PUT", path.text, body, &answer, fail);
    client_answer_clear(&answer);
    json_decref(body);
    build_write_arrow(session, arrow);
    if (ok)
        session_note("the package %s of %s is out of service", arrow, session->args[0]);
    return ok;
}
