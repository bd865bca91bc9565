/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/build.h"

#include <stdio.h>
#include "ctl/command.h"

static bool add_variant(struct client_path *path, const char *name, const char *variant, struct failure *fail)
{
    return !variant || client_path_query(path, name, variant, fail);
}

bool build_image_path(struct session *session, const char *part, struct client_path *ret,
                      struct failure *fail)
{
    char **args = session->args;
    return session_path(session, ret, fail, "firmware", args[0], "images", args[1], part, NULL) &&
           add_variant(ret, "variant", session->options->variant, fail);
}

bool build_package_path(struct session *session, const char *part, struct client_path *ret,
                        struct failure *fail)
{
    char **args = session->args;
    return session_path(session, ret, fail, "firmware", args[0], "packages", args[1], args[2], part, NULL) &&
           add_variant(ret, "from_variant", session->options->from_variant, fail) &&
           add_variant(ret, "to_variant", session->options->to_variant, fail);
}

static void show_one(json_t *object, const char *key, const char *variant_key)
{
    const char *version = json_string_value(json_object_get(object, key));
    const char *variant = json_string_value(json_object_get(object, variant_key));
    if (version && variant)
        json_object_set_new(object, key, json_sprintf("%s (%s)", version, variant));
}

void build_show(const struct session *session, json_t *value, const char *key, const char *variant_key)
{
    json_t *item;
    size_t i;
    if (session->json)
        return;
    show_one(value, key, variant_key);
    json_array_foreach (value, i, item)
        show_one(item, key, variant_key);
}

void build_show_ends(const struct session *session, json_t *value)
{
    build_show(session, value, "from", "from_variant");
    build_show(session, value, "to", "to_variant");
}

void build_write_arrow(const struct session *session, char out[BUILD_ARROW_SIZE])
{
    const char *from = session->options->from_variant, *to = session->options->to_variant;
    bool has_from = from && from[0], has_to = to && to[0];
    snprintf(out, BUILD_ARROW_SIZE, "%.120s%s%.60s%s→%.120s%s%.60s%s", session->args[1], has_from ? " (" : "",
             has_from ? from : "", has_from ? ")" : "", session->args[2], has_to ? " (" : "",
             has_to ? to : "", has_to ? ")" : "");
}
