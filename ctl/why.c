/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl why: the answer of explain in three sentences */
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/text.h"
#include "ctl/command.h"
#include "ctl/explain.h"

#define SENTENCE 1200

static const char *text_of(const json_t *answer, const char *key)
{
    return json_string_value(table_find(answer, key));
}

/* What the device runs, and what it shall run. */
static void say_state(const json_t *answer, char out[SENTENCE])
{
    const char *confirmed = text_of(answer, "confirmed_version"), *target = text_of(answer, "target");
    const char *campaign = text_of(answer, "campaign.name"), *grade = text_of(answer, "confirmed_grade");
    char runs[300], shall[400];
    if (confirmed)
        snprintf(runs, sizeof runs, "has confirmed version %.100s of %.100s (%s)", confirmed,
                 text_of(answer, "firmware") ? text_of(answer, "firmware") : "?", grade ? grade : "?");
    else
        snprintf(runs, sizeof runs, "has not confirmed a version");
    if (target)
        snprintf(shall, sizeof shall, "and shall run %.100s%s%.100s", target,
                 campaign ? " by the campaign " : "", campaign ? campaign : "");
    else
        snprintf(shall, sizeof shall, "and no target is set");
    snprintf(out, SENTENCE, "The device %.200s %s %s.",
             text_of(answer, "device") ? text_of(answer, "device") : "?", runs, shall);
}

/* "code 43", or "a package". Codes of refusals have two digits; 200 and 206 are the status of a package. */
static void format_code(const json_t *answer, const char *key, char out[32])
{
    long long code = (long long)json_integer_value(table_find(answer, key));
    if (code >= 200)
        snprintf(out, 32, "a package");
    else
        snprintf(out, 32, "code %lld", code);
}

static void say_next(const json_t *answer, char out[SENTENCE])
{
    const char *reason = text_of(answer, "reason"), *from = text_of(answer, "from"),
               *over = text_of(answer, "over");
    char code[32];
    const char *way = !over                          ? ""
                      : strcmp(over, "link") == 0    ? " over its link"
                      : strcmp(over, "dialect") == 0 ? " in the dialect"
                                                     : " over turnkey_fota";
    char kind[160];
    format_code(answer, "code", code);
    snprintf(kind, sizeof kind, "%s%s%.80s", way, from ? " from version " : "", from ? from : "");
    snprintf(out, SENTENCE, "A request%s would get %s now: %.700s.", kind, code,
             reason ? reason : "no reason is known");
}

static void say_last(const json_t *answer, char out[SENTENCE])
{
    const char *reason = text_of(answer, "last_answer.reason");
    _cleanup_(cleanup_free) char *at = table_value(answer, "last_answer.at", TABLE_TIME);
    char code[32];
    format_code(answer, "last_answer.code", code);
    if (!json_is_object(json_object_get(answer, "last_answer")))
        snprintf(out, SENTENCE, "It has never asked this server.");
    else
        snprintf(out, SENTENCE, "Its last request, at %s, got %s: %.700s.", at ? at : "?", code,
                 reason ? reason : "no reason is known");
}

bool why_show(struct session *session, struct failure *fail)
{
    void (*const say[])(const json_t *answer, char out[SENTENCE]) = {say_state, say_next, say_last};
    static const char *const keys[] = {"state", "next", "last"};
    json_t *answer = NULL, *sentences = json_object();
    char text[SENTENCE];
    bool ok = explain_fetch(session, &answer, fail);
    for (size_t i = 0; ok && i < sizeof say / sizeof *say; i++) {
        say[i](answer, text);
        json_object_set_new(sentences, keys[i], json_string(text));
        if (!session->json)
            text_wrap(stdout, 0, text);
    }
    if (ok && session->json)
        session_print_json(sentences);
    json_decref(sentences);
    json_decref(answer);
    return ok;
}
