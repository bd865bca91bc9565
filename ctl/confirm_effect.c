/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/confirm_effect.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/campaign_effect.h"
#include "ctl/build.h"
#include "ctl/link_revoke.h"
#include "ctl/token.h"
#include "ctl/webhook.h"

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(table_find(object, key));
}

/* GETs /products/KEY and the two or four parts; *ret is the caller's. */
static bool get(struct session *session, json_t **ret, struct failure *fail, const char *a, const char *b,
                const char *c, const char *d)
{
    struct client_path path;
    return session_path(session, &path, fail, a, b, c, d, NULL) &&
           client_get(session->client, path.text, ret, fail);
}

/* The same for the resource that the command changes: the change is refused if it differs from what is read here. */
static bool get_resource(struct session *session, json_t **ret, struct failure *fail, const char *a,
                         const char *b, const char *c, const char *d)
{
    struct client_path path;
    return session_path(session, &path, fail, a, b, c, d, NULL) &&
           client_get_resource(session->client, path.text, ret, fail);
}

static bool image_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *image = NULL, *packages = NULL, *package;
    size_t i, count = 0;
    char **args = session->args;
    bool ok = build_image_path(session, NULL, &path, fail) &&
              client_get_resource(session->client, path.text, &image, fail) &&
              get(session, &packages, fail, "firmware", args[0], "packages", NULL);
    build_show(session, image, "version", "variant");
    build_show_ends(session, json_object_get(packages, "items"));
    const char *version = json_string_value(json_object_get(image, "version"));
    json_array_foreach (json_object_get(packages, "items"), i, package) {
        const char *from = json_string_value(json_object_get(package, "from"));
        const char *to = json_string_value(json_object_get(package, "to"));
        count += version && ((from && strcmp(from, version) == 0) || (to && strcmp(to, version) == 0));
    }
    if (ok)
        snprintf(out, CONFIRM_EFFECT_SIZE,
                 "This deletes version %s of %s (%lld bytes) and its packages: %zu.",
                 version ? version : args[1], args[0], number(image, "size"), count);
    json_decref(image);
    json_decref(packages);
    return ok;
}

static bool firmware_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    json_t *firmware = NULL;
    if (!get_resource(session, &firmware, fail, "firmware", session->args[0], NULL, NULL))
        return false;
    snprintf(out, CONFIRM_EFFECT_SIZE,
             "This deletes the firmware %s and its settings. It has %lld images and %lld devices.",
             session->args[0], number(firmware, "images"), number(firmware, "devices"));
    json_decref(firmware);
    return true;
}

static bool product_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path = {.len = 0};
    json_t *product = NULL;
    const char *key = session->args[0];
    if (!client_path_add(&path, "products", fail) || !client_path_add(&path, key, fail) ||
        !client_get_resource(session->client, path.text, &product, fail))
        return false;
    const char *name = json_string_value(json_object_get(product, "name"));
    snprintf(out, CONFIRM_EFFECT_SIZE, "This deletes the product %.100s (%.200s) and its settings.", key,
             name ? name : "?");
    json_decref(product);
    return true;
}

static bool device_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    json_t *device = NULL;
    if (!get_resource(session, &device, fail, "devices", session->args[0], NULL, NULL))
        return false;
    snprintf(out, CONFIRM_EFFECT_SIZE, "This deletes the device %s and its links: %zu.", session->args[0],
             link_count_valid(device));
    json_decref(device);
    return true;
}

static bool revoke_list_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    const char *name = session->options->csv;
    json_t *devices;
    if (strcmp(name, "-") == 0) /* the answer to the question comes from there too */
        return failure_set(fail, EXIT_USAGE, "the list is read from the terminal: add --yes, or name a file");
    if (!link_read_devices(name, &devices, fail))
        return false;
    snprintf(
        out, CONFIRM_EFFECT_SIZE,
        "This revokes all links of the devices in %.300s: %zu devices. A module with such a link gets code 21.",
        name, json_array_size(devices));
    json_decref(devices);
    return true;
}

static bool revoke_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    const struct ctl_options *options = session->options;
    json_t *device = NULL;
    if (options->csv)
        return revoke_list_effect(session, out, fail);
    if (!get(session, &device, fail, "devices", session->args[0], NULL, NULL))
        return false;
    if (options->link)
        snprintf(out, CONFIRM_EFFECT_SIZE,
                 "This revokes link %s of %s. A module that has this link gets code 21.", options->link,
                 session->args[0]);
    else
        snprintf(out, CONFIRM_EFFECT_SIZE,
                 "This revokes the links of %s: %zu. A module that has such a link gets code 21.",
                 session->args[0], link_count_valid(device));
    json_decref(device);
    return true;
}

static bool replace_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    json_t *device = NULL;
    if (!get_resource(session, &device, fail, "devices", session->args[0], NULL, NULL))
        return false;
    snprintf(out, CONFIRM_EFFECT_SIZE,
             "This retires %s. %s gets its tags (%zu), its note and its places in campaigns.",
             session->args[0], session->args[1], json_array_size(json_object_get(device, "tags")));
    json_decref(device);
    return true;
}

static bool cancel_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    json_t *campaign = NULL;
    char **args = session->args;
    if (!get_resource(session, &campaign, fail, "firmware", args[0], "campaigns", args[1]))
        return false;
    snprintf(out, CONFIRM_EFFECT_SIZE,
             "This ends the campaign %s for good. Of its %lld devices %lld have confirmed %s.", args[1],
             number(campaign, "devices"), number(campaign, "counts.confirmed"),
             json_string_value(json_object_get(campaign, "target")));
    json_decref(campaign);
    return true;
}

static bool draft_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    json_t *campaign = NULL;
    char **args = session->args;
    if (!get_resource(session, &campaign, fail, "firmware", args[0], "campaigns", args[1]))
        return false;
    snprintf(out, CONFIRM_EFFECT_SIZE, "This deletes the draft %s with its stages: %zu.", args[1],
             json_array_size(json_object_get(campaign, "stages")));
    json_decref(campaign);
    return true;
}

static bool forget_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *package = NULL;
    char arrow[BUILD_ARROW_SIZE];
    if (!build_package_path(session, NULL, &path, fail) ||
        !client_get(session->client, path.text, &package, fail))
        return false;
    build_write_arrow(session, arrow);
    snprintf(out, CONFIRM_EFFECT_SIZE, "This removes the package %s of %s: %lld bytes.", arrow,
             session->args[0], number(package, "size"));
    json_decref(package);
    return true;
}

static void describe_webhook(const struct session *session, const json_t *webhook,
                             char out[CONFIRM_EFFECT_SIZE])
{
    snprintf(
        out, CONFIRM_EFFECT_SIZE,
        "The webhook %.200s has events that wait: %lld, and events that could not be delivered: %lld. The "
        "removed ones are never sent.",
        session->args[0], number(webhook, "waiting"), number(webhook, "failed"));
}

static bool webhook_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *webhook = NULL;
    if (!webhook_find(session, &path, fail) ||
        !client_get_resource(session->client, path.text, &webhook, fail))
        return false;
    describe_webhook(session, webhook, out);
    json_decref(webhook);
    return true;
}

static bool webhook_event_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *webhook = NULL;
    if (!webhook_find(session, &path, fail) || !client_get(session->client, path.text, &webhook, fail))
        return false;
    describe_webhook(session, webhook, out);
    json_decref(webhook);
    return true;
}

/* Reads the token, so that the one that is shown is the one that ends. */
static bool describe_token(struct session *session, const char *what, char out[CONFIRM_EFFECT_SIZE],
                           struct failure *fail)
{
    struct client_path path;
    json_t *token = NULL;
    if (!token_find(session, &path, fail) || !client_get_resource(session->client, path.text, &token, fail))
        return false;
    const char *scope = json_string_value(json_object_get(token, "scope"));
    _cleanup_(cleanup_free) char *used = table_value(token, "used_at", TABLE_TIME);
    snprintf(out, CONFIRM_EFFECT_SIZE,
             "%s the token %.100s and its sessions at once. Its scope: %.20s; last used: %.40s.", what,
             session->args[0], scope ? scope : "?", used ? used : "-");
    json_decref(token);
    return true;
}

static bool token_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    return describe_token(session, "This ends", out, fail);
}

static bool secret_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL, *secret;
    size_t i;
    if (!session_path(session, &path, fail, "secrets", NULL) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    snprintf(out, CONFIRM_EFFECT_SIZE, "This ends the secret %s at once.", session->args[0]);
    json_array_foreach (json_object_get(answer, "items"), i, secret)
        if (number(secret, "secret") == strtoll(session->args[0], NULL, 10))
            snprintf(out, CONFIRM_EFFECT_SIZE,
                     "This ends the secret %s at once. %lld devices used it last: they get no "
                     "packages until they have another one.",
                     session->args[0], number(secret, "devices"));
    json_decref(answer);
    return true;
}

static bool token_rotate_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    return describe_token(session, "This ends the present secret of", out, fail);
}

/* The number of the first row from a time on; 0: there is no such row. */
static bool first_row(struct session *session, int64_t since_ms, long long *ret, struct failure *fail)
{
    struct client_path path = {.len = 0};
    char since[24];
    json_t *answer = NULL;
    snprintf(since, sizeof since, "%" PRId64, since_ms);
    if (!client_path_add(&path, "ledger", fail) || !client_path_query(&path, "limit", "1", fail) ||
        (since_ms && !client_path_query(&path, "since", since, fail)) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    *ret = number(json_array_get(json_object_get(answer, "items"), 0), "seq");
    json_decref(answer);
    return true;
}

static bool prune_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    long long first, kept;
    if (!first_row(session, 0, &first, fail) || !first_row(session, session->options->before_ms, &kept, fail))
        return false;
    if (kept)
        snprintf(out, CONFIRM_EFFECT_SIZE, "This removes the rows of the ledger before row %lld: %lld rows.",
                 kept, kept > first ? kept - first : 0);
    else
        snprintf(out, CONFIRM_EFFECT_SIZE, "This removes all rows of the ledger from row %lld on.", first);
    return true;
}

/* What a dry run of target set or campaign start answers. Takes over body. */
static bool describe_dry_run(struct session *session, const char *method, struct client_path *path,
                             json_t *body, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    json_t *effect = NULL;
    if (!campaign_effect_fetch(session, method, path, body, &effect, fail))
        return false;
    const char *target = json_string_value(json_object_get(effect, "target"));
    const char *conflict = json_string_value(json_object_get(effect, "conflict"));
    snprintf(
        out, CONFIRM_EFFECT_SIZE,
        "Devices that this leads to %.60s: %lld, with %lld bytes of packages. Devices that cannot be reached: "
        "%lld.%s%.300s",
        target ? target : "?", number(effect, "devices"), number(effect, "bytes"),
        number(effect, "unreachable"), conflict ? " Conflict: " : "", conflict ? conflict : "");
    json_decref(effect);
    return true;
}

static bool target_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *firmware = NULL;
    char **args = session->args;
    bool ok = get_resource(session, &firmware, fail, "firmware", args[0], NULL, NULL) &&
              session_path(session, &path, fail, "firmware", args[0], "target", NULL) &&
              describe_dry_run(session, "PUT", &path, json_pack("{s:s}", "version", args[1]), out, fail);
    json_decref(firmware);
    return ok;
}

static bool start_effect(struct session *session, char out[CONFIRM_EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *campaign = NULL;
    char **args = session->args;
    bool ok = get_resource(session, &campaign, fail, "firmware", args[0], "campaigns", args[1]) &&
              session_path(session, &path, fail, "firmware", args[0], "campaigns", args[1], "start", NULL) &&
              describe_dry_run(session, "POST", &path, NULL, out, fail);
    json_decref(campaign);
    return ok;
}

static const struct {
    command_run *run;
    struct confirm_question question;
} questions[] = {
    {image_delete, {image_effect, false}},
    {firmware_delete, {firmware_effect, false}},
    {product_delete, {product_effect, false}},
    {device_delete, {device_effect, false}},
    {device_revoke, {revoke_effect, false}},
    {device_replace, {replace_effect, false}},
    {campaign_cancel, {cancel_effect, false}},
    {campaign_delete, {draft_effect, false}},
    {package_forget, {forget_effect, false}},
    {webhook_delete, {webhook_effect, false}},
    {webhook_forget, {webhook_event_effect, false}},
    {token_revoke, {token_effect, false}},
    {ledger_prune, {prune_effect, false}},
    {secret_revoke, {secret_effect, false}},
    {secret_rotate, {secret_effect, false}},
    {token_rotate, {token_rotate_effect, false}},
    {target_set, {target_effect, true}},
    {campaign_start, {start_effect, true}},
};

const struct confirm_question *confirm_effect_find(command_run *run)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (questions[i].run == run)
            return &questions[i].question;
    return NULL;
}
