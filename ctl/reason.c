/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/reason.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 4 /* reasons in reasons */

enum reason_language reason_language_of_user(void)
{
    static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *locale = getenv(names[i]);
        if (locale && locale[0])
            return strncmp(locale, "zh", 2) == 0 ? REASON_CHINESE : REASON_ENGLISH;
    }
    return REASON_ENGLISH;
}

/* False: this program does not know the code, or its parameters are others. */
static bool encode(const json_t *code_text, const json_t *params, unsigned depth, char out[REASON_SIZE])
{
    char nested[REASON_PARAMS_MAX][REASON_SIZE];
    struct reason_value value[REASON_PARAMS_MAX + 1] = {R_END};
    enum reason_code code;
    size_t i;
    json_t *param;
    if (depth > DEPTH_MAX || !json_is_string(code_text) || !json_is_array(params) ||
        !reason_code_parse(slice_of(json_string_value(code_text)), &code) ||
        json_array_size(params) != reason_param_count(code))
        return false;
    json_array_foreach ((json_t *)params, i, param) {
        const char *text = json_string_value(param);
        if (!text &&
            !encode(json_object_get(param, "code"), json_object_get(param, "params"), depth + 1, nested[i]))
            return false;
        value[i] = (struct reason_value)R_TEXT(text ? text : nested[i]);
        value[i + 1] = (struct reason_value)R_END;
    }
    reason_write(out, REASON_SIZE, code, value);
    return true;
}

/* `key` is NAME_code: words NAME anew. */
static void translate_member(json_t *object, const char *key, enum reason_language language)
{
    char name[32], params[40], reason[REASON_SIZE], text[REASON_TEXT_SIZE];
    size_t length = strlen(key), end = strlen("_code");
    if (length <= end || length - end >= sizeof name || strcmp(key + length - end, "_code") != 0)
        return;
    snprintf(name, sizeof name, "%.*s", (int)(length - end), key);
    snprintf(params, sizeof params, "%s_params", name);
    if (json_is_string(json_object_get(object, name)) &&
        encode(json_object_get(object, key), json_object_get(object, params), 0, reason))
        json_object_set_new(object, name, json_string(reason_text(reason, language, text)));
}

void reason_translate(json_t *answer, enum reason_language language)
{
    const char *key;
    json_t *value;
    size_t i;
    json_array_foreach (answer, i, value)
        reason_translate(value, language);
    json_object_foreach (answer, key, value) {
        reason_translate(value, language);
        translate_member(answer, key, language);
    }
}
