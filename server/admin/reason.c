/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/reason.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "server/admin/handlers.h"
#include "server/ledger/event.h"

void reason_to_json(json_t *object, const char *name, const char *reason)
{
    char text[REASON_TEXT_SIZE], key[32];
    struct reason parsed;
    bool coded = reason && reason_parse(slice_of(reason), &parsed);
    json_object_set_new(object, name, field_text(reason_text(reason ? reason : "", REASON_ENGLISH, text)));
    snprintf(key, sizeof key, "%s_code", name);
    json_object_set_new(object, key, coded ? json_string(reason_code_name(parsed.code)) : json_null());
    snprintf(key, sizeof key, "%s_params", name);
    json_object_set_new(object, key, coded ? event_reason_params(reason) : json_null());
}

/* ---- All reasons ---- */

static bool find_language(const struct request *request, enum reason_language *ret, struct error *err)
{
    char lang[32] = "";
    bool found;
    if (!request_query(request, "lang", lang, sizeof lang, &found, err))
        return false;
    *ret = found && strcmp(lang, "zh") == 0 ? REASON_CHINESE : REASON_ENGLISH;
    return !found || *ret == REASON_CHINESE || strcmp(lang, "en") == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "lang must be en or zh");
}

bool admin_reason_list(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *texts = json_object();
    enum reason_language language;
    if (!find_language(call->request, &language, err))
        return false;
    for (unsigned code = 0; code < REASON_CODE_COUNT; code++)
        json_object_set_new(texts, reason_code_name(code), json_string(reason_template(code, language)));
    reply_json(&call->reply, 200, json_incref(texts));
    reply_header(&call->reply, "Cache-Control", "no-cache");
    return true;
}
