/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/answer.h"

static const struct {
    int code;
    const char *msg;
} table[ANSWER_COUNT] = {
#define X(name, code, msg) [name] = {code, msg},
    ANSWER_TABLE(X)
#undef X
};

int answer_code(enum answer answer)
{
    return table[answer].code;
}

const char *answer_msg(enum answer answer)
{
    return table[answer].msg;
}
