/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/campaign_effect.h"

#include <stdio.h>
#include "base/text.h"
#include "ctl/campaign_forecast.h"

static const struct table_column columns[] = {
    {"VERSION", "version", TABLE_TEXT}, {"DEVICES", "devices", TABLE_NUMBER},
    {"EFFECT", "effect", TABLE_TEXT},   {"PATH", "way", TABLE_TEXT},
    {"HOPS", "hops", TABLE_NUMBER},     {"BYTES", "bytes_per_device", TABLE_NUMBER},
};
static const struct table_view view = {columns, TABLE_COUNT(columns), "reason", ""};

static long long number(const json_t *answer, const char *key)
{
    return (long long)json_integer_value(json_object_get(answer, key));
}

/* ["1138","1147","1162"] as 1138→1147→1162 */
static void join_paths(json_t *groups)
{
    json_t *group, *version;
    size_t i, n;
    json_array_foreach (groups, i, group) {
        char way[512] = "";
        size_t used = 0;
        json_array_foreach (json_object_get(group, "path"), n, version)
            if (used < sizeof way)
                used += (size_t)snprintf(way + used, sizeof way - used, "%s%s", n ? "→" : "",
                                         json_string_value(version));
        json_object_set_new(group, "way", way[0] ? json_string(way) : json_null());
    }
}

static void print(const json_t *answer)
{
    json_t *groups = json_object_get(answer, "groups");
    const char *conflict = json_string_value(json_object_get(answer, "conflict"));
    join_paths(groups);
    printf("Target %s: %lld devices, %lld bytes; %lld devices cannot be reached",
           json_string_value(json_object_get(answer, "target")), number(answer, "devices"),
           number(answer, "bytes"), number(answer, "unreachable"));
    if (number(answer, "out"))
        printf("; %lld are retired or held out", number(answer, "out"));
    putchar('\n');
    if (conflict) {
        fputs("conflict: ", stdout);
        text_put(stdout, conflict);
        putchar('\n');
    }
    campaign_forecast_print(json_object_get(answer, "forecast"));
    putchar('\n');
    table_print(stdout, groups, &view);
    session_note("nothing was changed");
}

bool campaign_effect_fetch(struct session *session, const char *method, struct client_path *path,
                           json_t *body, json_t **ret, struct failure *fail)
{
    struct client_answer answer = {0};
    bool ok = client_path_query(path, "dry_run", "1", fail) &&
              client_change(session->client, method, path->text, body, &answer, fail);
    json_decref(body);
    if (!ok)
        return false;
    *ret = json_incref(answer.json);
    client_answer_clear(&answer);
    return *ret || failure_set(fail, EXIT_UNREACHABLE, "the server sent an empty answer");
}

bool campaign_effect_show(struct session *session, const char *method, struct client_path *path, json_t *body,
                          struct failure *fail)
{
    json_t *effect = NULL;
    if (!campaign_effect_fetch(session, method, path, body, &effect, fail))
        return false;
    if (session->json)
        session_print_json(effect);
    else
        print(effect);
    json_decref(effect);
    return true;
}
