/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/confirm.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/text.h"
#include "ctl/link.h"
#include "ctl/webhook.h"

#define EFFECT_SIZE 600

/* Writes what the command would do, as a whole sentence. */
typedef bool describe(struct session *session, char out[EFFECT_SIZE], struct failure *fail);

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

static bool image_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    json_t *image = NULL, *packages = NULL, *package;
    size_t i, count = 0;
    char **args = session->args;
    bool ok = get(session, &image, fail, "firmware", args[0], "images", args[1]) &&
              get(session, &packages, fail, "firmware", args[0], "packages", NULL);
    const char *version = json_string_value(json_object_get(image, "version"));
    json_array_foreach (json_object_get(packages, "items"), i, package) {
        const char *from = json_string_value(json_object_get(package, "from"));
        const char *to = json_string_value(json_object_get(package, "to"));
        count += version && ((from && strcmp(from, version) == 0) || (to && strcmp(to, version) == 0));
    }
    if (ok)
        snprintf(out, EFFECT_SIZE, "This deletes version %s of %s (%lld bytes) and its packages: %zu.",
                 version ? version : args[1], args[0], number(image, "size"), count);
    json_decref(image);
    json_decref(packages);
    return ok;
}

static bool firmware_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    json_t *firmware = NULL;
    if (!get(session, &firmware, fail, "firmware", session->args[0], NULL, NULL))
        return false;
    snprintf(out, EFFECT_SIZE,
             "This deletes the firmware %s and its settings. It has %lld images and %lld devices.",
             session->args[0], number(firmware, "images"), number(firmware, "devices"));
    json_decref(firmware);
    return true;
}

static bool product_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    (void)fail;
    snprintf(out, EFFECT_SIZE, "This deletes the product %s and its settings.", session->args[0]);
    return true;
}

static size_t count_links(const json_t *device)
{
    size_t i, count = 0;
    json_t *link;
    json_array_foreach (json_object_get(device, "links"), i, link)
        count += json_is_null(json_object_get(link, "revoked_at"));
    return count;
}

static bool device_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    json_t *device = NULL;
    if (!get(session, &device, fail, "devices", session->args[0], NULL, NULL))
        return false;
    snprintf(out, EFFECT_SIZE, "This deletes the device %s and its links: %zu.", session->args[0],
             count_links(device));
    json_decref(device);
    return true;
}

static bool revoke_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    const struct ctl_options *options = session->options;
    json_t *device = NULL;
    if (options->csv) {
        snprintf(out, EFFECT_SIZE,
                 "This revokes the links of all devices in %s. A module with such a link gets "
                 "code 21.",
                 options->csv);
        return true;
    }
    if (!get(session, &device, fail, "devices", session->args[0], NULL, NULL))
        return false;
    if (options->link)
        snprintf(out, EFFECT_SIZE, "This revokes link %s of %s. A module that has this link gets code 21.",
                 options->link, session->args[0]);
    else
        snprintf(out, EFFECT_SIZE,
                 "This revokes the links of %s: %zu. A module that has such a link gets code 21.",
                 session->args[0], count_links(device));
    json_decref(device);
    return true;
}

static bool replace_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    json_t *device = NULL;
    if (!get(session, &device, fail, "devices", session->args[0], NULL, NULL))
        return false;
    snprintf(out, EFFECT_SIZE,
             "This retires %s. %s gets its tags (%zu), its note and its places in campaigns.",
             session->args[0], session->args[1], json_array_size(json_object_get(device, "tags")));
    json_decref(device);
    return true;
}

static bool cancel_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    json_t *campaign = NULL;
    char **args = session->args;
    if (!get(session, &campaign, fail, "firmware", args[0], "campaigns", args[1]))
        return false;
    snprintf(out, EFFECT_SIZE,
             "This ends the campaign %s for good. Of its %lld devices %lld have confirmed %s.", args[1],
             number(campaign, "devices"), number(campaign, "counts.confirmed"),
             json_string_value(json_object_get(campaign, "target")));
    json_decref(campaign);
    return true;
}

static bool draft_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    json_t *campaign = NULL;
    char **args = session->args;
    if (!get(session, &campaign, fail, "firmware", args[0], "campaigns", args[1]))
        return false;
    snprintf(out, EFFECT_SIZE, "This deletes the draft %s with its stages: %zu.", args[1],
             json_array_size(json_object_get(campaign, "stages")));
    json_decref(campaign);
    return true;
}

static bool forget_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *package = NULL;
    char **args = session->args;
    if (!session_path(session, &path, fail, "firmware", args[0], "packages", args[1], args[2], NULL) ||
        !client_get(session->client, path.text, &package, fail))
        return false;
    snprintf(out, EFFECT_SIZE, "This removes the package %s→%s of %s: %lld bytes.", args[1], args[2], args[0],
             number(package, "size"));
    json_decref(package);
    return true;
}

static bool webhook_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *webhook = NULL;
    if (!webhook_find(session, &path, fail) || !client_get(session->client, path.text, &webhook, fail))
        return false;
    snprintf(
        out, EFFECT_SIZE,
        "The webhook %s has events that wait: %lld, and events that could not be delivered: %lld. The removed "
        "ones are never sent.",
        session->args[0], number(webhook, "waiting"), number(webhook, "failed"));
    json_decref(webhook);
    return true;
}

static bool token_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    (void)fail;
    snprintf(out, EFFECT_SIZE, "This ends the token %s and its sessions at once.", session->args[0]);
    return true;
}

static bool secret_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL, *secret;
    size_t i;
    if (!session_path(session, &path, fail, "secrets", NULL) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    snprintf(out, EFFECT_SIZE, "This ends the secret %s at once.", session->args[0]);
    json_array_foreach (json_object_get(answer, "items"), i, secret)
        if (number(secret, "secret") == strtoll(session->args[0], NULL, 10))
            snprintf(out, EFFECT_SIZE,
                     "This ends the secret %s at once. %lld devices used it last: they get no "
                     "packages until they have another one.",
                     session->args[0], number(secret, "devices"));
    json_decref(answer);
    return true;
}

static bool rotate_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    (void)fail;
    snprintf(out, EFFECT_SIZE, "The present secret of the token %s ends at once, and its sessions too.",
             session->args[0]);
    return true;
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

static bool prune_effect(struct session *session, char out[EFFECT_SIZE], struct failure *fail)
{
    long long first, kept;
    if (!first_row(session, 0, &first, fail) || !first_row(session, session->options->before_ms, &kept, fail))
        return false;
    if (kept)
        snprintf(out, EFFECT_SIZE, "This removes the rows of the ledger before row %lld: %lld rows.", kept,
                 kept > first ? kept - first : 0);
    else
        snprintf(out, EFFECT_SIZE, "This removes all rows of the ledger from row %lld on.", first);
    return true;
}

static const struct {
    command_run *run;
    describe *describe;
} questions[] = {
    {image_delete, image_effect},     {firmware_delete, firmware_effect}, {product_delete, product_effect},
    {device_delete, device_effect},   {device_revoke, revoke_effect},     {device_replace, replace_effect},
    {campaign_cancel, cancel_effect}, {campaign_delete, draft_effect},    {package_forget, forget_effect},
    {webhook_delete, webhook_effect}, {webhook_forget, webhook_effect},   {token_revoke, token_effect},
    {ledger_prune, prune_effect},     {secret_revoke, secret_effect},     {secret_rotate, secret_effect},
    {token_rotate, rotate_effect},
};

static describe *find(command_run *run)
{
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
        if (questions[i].run == run)
            return questions[i].describe;
    return NULL;
}

bool confirm_knows(command_run *run)
{
    return find(run) != NULL;
}

/* A rotation ends the present secret at once only without an overlap. */
static bool is_harmless(const struct session *session, const struct command *command)
{
    const struct ctl_options *options = session->options;
    bool rotates = command->run == secret_rotate || command->run == token_rotate;
    return rotates && !(options->given[OPTION_OVERLAP] && options->overlap_h == 0);
}

bool confirm_ask(struct session *session, const struct command *command, struct failure *fail)
{
    describe *effect_of = find(command->run);
    char effect[EFFECT_SIZE], typed[16] = "";
    if (!effect_of || session->options->yes || is_harmless(session, command))
        return true;
    if (command->run == device_revoke && !link_check_revoke(session, fail))
        return false;
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return failure_set(
            fail, EXIT_USAGE,
            "%s cannot be undone, and there is no terminal to ask at: add --yes if you are sure",
            command->name);
    if (!effect_of(session, effect, fail))
        return false;
    text_wrap(stderr, 0, effect);
    fputs("This cannot be undone. Continue? [y/N] ", stderr);
    if (!fgets(typed, sizeof typed, stdin))
        putc('\n', stderr);
    typed[strcspn(typed, "\r\n")] = '\0';
    return strcasecmp(typed, "y") == 0 || strcasecmp(typed, "yes") == 0 ||
           failure_set(fail, EXIT_USAGE, "nothing was changed");
}
