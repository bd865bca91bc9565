/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/code.h"

#include <jansson.h>

static const struct {
    int code;
    const char *text;
} table[] = {
    {3, "no usable id"},
    {17, "not permitted"},
    {21, "upgrade not allowed"},
    {25, "unknown project"},
    {26, "unknown firmware"},
    {CODE_IDLE, "up to date"},
    {40, "blocked by the loop guard"},
    {CODE_WAIT, "please wait"},
    {44, "base version missing"},
};

bool code_read(struct bytes body, int *ret)
{
    json_t *json = json_loadb((const char *)body.ptr, body.len, 0, NULL);
    json_t *code = json_object_get(json, "code");
    bool ok = json_is_integer(code) && json_integer_value(code) >= 0 && json_integer_value(code) < 1000000;
    if (ok)
        *ret = (int)json_integer_value(code);
    json_decref(json);
    return ok;
}

static size_t place_of(int code)
{
    size_t i = 0;
    while (i < sizeof table / sizeof table[0] && table[i].code != code)
        i++;
    return i;
}

bool code_is_known(int code)
{
    return place_of(code) < sizeof table / sizeof table[0];
}

const char *code_text(int code)
{
    return code_is_known(code) ? table[place_of(code)].text : "not a code of the dialect";
}
