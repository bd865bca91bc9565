/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/luatos_offer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool fail(char why[OFFER_WHY_SIZE], const char *text)
{
    snprintf(why, OFFER_WHY_SIZE, "%s", text);
    return false;
}

/* Lua takes a text where it needs a number. */
static bool read_number(const json_t *json, double *ret)
{
    char *end;
    *ret = json_number_value(json);
    if (!json_is_string(json))
        return json_is_number(json);
    *ret = strtod(json_string_value(json), &end);
    return end != json_string_value(json) && !*end;
}

bool luatos_offer_read(struct bytes body, struct luatos_offer *ret, char why[OFFER_WHY_SIZE])
{
    double size;
    *ret = (struct luatos_offer){.json = json_loadb((const char *)body.ptr, body.len, 0, NULL)};
    if (!json_is_object(ret->json))
        return fail(why, "the answer is not a JSON object");
    const json_t *code = json_object_get(ret->json, "code");
    if (code && (!json_is_integer(code) || json_integer_value(code) != 0)) {
        ret->code =
            json_is_integer(code) && json_integer_value(code) < 1000000 ? (int)json_integer_value(code) : -1;
        return true;
    }
    ret->url = json_string_value(json_object_get(ret->json, "url"));
    ret->fota_sn = json_string_value(json_object_get(ret->json, "fota_sn"));
    ret->sha256 = json_string_value(json_object_get(ret->json, "sha256"));
    if (ret->sha256 && !*ret->sha256)
        ret->sha256 = NULL;
    if (!ret->url || !*ret->url)
        return fail(why, "the answer has no url");
    if (!read_number(json_object_get(ret->json, "size"), &size))
        return fail(why, "size is not a number: the script stops with an error");
    return true;
}

void luatos_offer_free(struct luatos_offer *offer)
{
    json_decref(offer->json);
    *offer = (struct luatos_offer){0};
}

bool luatos_offer_is_running(const struct luatos_offer *offer, const struct luatos_words *words,
                             char why[OFFER_WHY_SIZE])
{
    double core;
    const json_t *core_id = json_object_get(offer->json, "core_id");
    const char *script = json_string_value(json_object_get(offer->json, "script_version"));
    if (!read_number(json_object_get(offer->json, "core_version"), &core) ||
        core != strtod(words->core, NULL))
        return fail(why, "core_version is not the number of the core that runs");
    if (!core_id)
        return fail(why, "core_id is missing");
    if (!json_is_integer(core_id))
        return fail(why, "core_id is not a JSON number");
    if (json_integer_value(core_id) != words->core_id)
        return fail(why, "core_id is another number");
    if (!script)
        return fail(why, "script_version is missing or not a text");
    if (strcmp(script, words->script) != 0)
        return fail(why, "script_version is not the text that the device has");
    return true;
}
