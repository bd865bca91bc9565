/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/transcript_cause.h"

#include <stdio.h>

#define INVALID (-1003) /* the module sends this for everything that it cannot use */

/* The meaning of the dialect's codes (answer.h has the texts of the vendor's platform). */
static const struct {
    long code;
    const char *words;
} codes[] = {
    {3, "the request has no valid IMEI, MAC or UID, or the link does not exist (code 3)"},
    {17, "the firmware does not belong to this project (code 17)"},
    {21, "the server does not allow the upgrade (code 21)"},
    {25, "the server does not know the project key (code 25)"},
    {26, "the project has no firmware with this name (code 26)"},
    {27, "the server has no newer version for the module (code 27)"},
    {40, "the loop guard has blocked the device: an admin must unblock it (code 40)"},
    {43, "the package is still being made (code 43): ask again later"},
    {44, "the server has no image of the module's version (code 44)"},
};

static const struct {
    long error;
    enum transcript_cause cause;
    const char *words;
} errors[] = {
    {-1000, CAUSE_BAD_URL, "the module says that the URL is malformed"},
    {-1001, CAUSE_NETWORK, "the module had no network connection"},
    {-1002, CAUSE_CONNECT, "the module could not connect to the server"},
    {INVALID, CAUSE_INVALID_PACKAGE,
     "the module did not get a valid package: the download was cut off or damaged"},
    {-1004, CAUSE_HTTP, "the module could not use the HTTP response"},
    {-1005, CAUSE_STORING, "the module could not store the package: not enough space, or a flash error"},
    {-1006, CAUSE_OTHER, "the module says only 'other error'"},
};

static bool knows(const struct transcript_seen *seen)
{
    return seen->name.version.count > 0;
}

static bool is_same(const struct transcript_seen *a, const struct transcript_seen *b)
{
    return version_compare(&a->name.version, &b->name.version) == 0 &&
           strcmp(a->name.firmware, b->name.firmware) == 0;
}

/* ---- Conditions of the rules ---- */

static bool was_told_code(const struct transcript_try *try)
{
    return try->failed && try->has_answer && try->code != 0;
}

static bool was_told_wait(const struct transcript_try *try)
{
    return was_told_code(try) ? try->code == 43 : try->failed && try->error == INVALID && try->download < 10;
}

static bool refused_package(const struct transcript_try *try)
{
    return try->failed && try->error == INVALID && try->download == 100;
}

static bool failed(const struct transcript_try *try)
{
    return try->failed;
}

static bool refused_command(const struct transcript_try *try)
{
    return try->refused;
}

static bool changed(const struct transcript_try *try)
{
    return knows(&try->before) && knows(&try->after) && !is_same(&try->before, &try->after);
}

static bool ended_badly(const struct transcript_try *try)
{
    return try->ended && try->end_error != 0;
}

static bool ended_unchanged(const struct transcript_try *try)
{
    return try->ended && knows(&try->before) && knows(&try->after);
}

static bool ended(const struct transcript_try *try)
{
    return try->ended;
}

/* The module runs again, so the update is not still in progress. */
static bool broke_while_writing(const struct transcript_try *try)
{
    return try->started && (try->ready || knows(&try->after));
}

static bool writes(const struct transcript_try *try)
{
    return try->started;
}

static bool restarted_without_writing(const struct transcript_try *try)
{
    return try->boot && try->download == 100 && (try->ready || knows(&try->after));
}

static bool reset_in_download(const struct transcript_try *try)
{
    return try->boot && try->download < 100;
}

static bool no_newer(const struct transcript_try *try)
{
    return try->no_newer;
}

static bool is_whole(const struct transcript_try *try)
{
    return try->download == 100;
}

static bool has_begun(const struct transcript_try *try)
{
    return try->download >= 0;
}

static bool always(const struct transcript_try *try)
{
    (void)try;
    return true;
}

/* The first rule that fits gives outcome and cause. */
static const struct {
    bool (*fits)(const struct transcript_try *try);
    enum transcript_outcome outcome;
    enum transcript_cause cause;
    const char *words; /* NULL: from the table of codes or errors */
} rules[] = {
    {refused_command, OUTCOME_FAILED, CAUSE_REFUSED_COMMAND, "the module refused the command AT+UPGRADE"},
    {was_told_wait, OUTCOME_FAILED, CAUSE_SERVER_WAIT,
     "the package is still being made (code 43): ask again later"},
    {was_told_code, OUTCOME_FAILED, CAUSE_SERVER_ANSWER, NULL},
    {refused_package, OUTCOME_FAILED, CAUSE_REFUSED_PACKAGE,
     "the module refused the package: it is too large, or made for another base version"},
    {failed, OUTCOME_FAILED, CAUSE_OTHER, NULL},
    {ended_badly, OUTCOME_FAILED, CAUSE_UPDATER_ERROR, "the updater failed: the package was not applied"},
    {changed, OUTCOME_UPGRADED, CAUSE_NONE, "another version runs now"},
    {ended_unchanged, OUTCOME_FAILED, CAUSE_NOT_CHANGED,
     "the updater reported success, but the old version still runs"},
    {ended, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN,
     "the updater reported success; the text does not show the versions before and after"},
    {broke_while_writing, OUTCOME_FAILED, CAUSE_BROKEN_WHILE_WRITING,
     "the module restarted during the update: perhaps the power was cut"},
    {writes, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN, "the text ends during the update, or the power was cut"},
    {restarted_without_writing, OUTCOME_FAILED, CAUSE_NOT_VERIFIED,
     "the module restarted without an update: the package was not verified, or the restart came too early"},
    {reset_in_download, OUTCOME_FAILED, CAUSE_RESET_IN_DOWNLOAD, "the module restarted during the download"},
    {no_newer, OUTCOME_FAILED, CAUSE_NO_NEWER, "the server has no newer version for the module"},
    {is_whole, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN,
     "the package was downloaded; the text does not show what happened then"},
    {has_begun, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN, "the text ends during the download"},
    {always, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN, "the text does not show what happened then"},
};

/* For a rule without words. Also sets the cause of a known error. */
static const char *explain_error(struct transcript_try *try)
{
    if (try->cause == CAUSE_SERVER_ANSWER) {
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
            if (codes[i].code == try->code)
                return codes[i].words;
        return "the server refused with an unknown code";
    }
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].error == try->error) {
            try->cause = errors[i].cause;
            return errors[i].words;
        }
    }
    return "the module reports an unknown error";
}

/* How far the try came, with the module's own numbers. */
static void say_where(const struct transcript_try *try, char *out, size_t size)
{
    char when[32] = "", answer[64] = "";
    if (try->download < 10)
        snprintf(when, sizeof when, " before 10 %%");
    else
        snprintf(when, sizeof when, " %s %d %%", try->download == 100 ? "after" : "at", try->download);
    if (try->has_answer)
        snprintf(answer, sizeof answer, ", HTTP status %ld, code %ld", try->http_status, try->code);
    if (try->failed)
        snprintf(out, size, "error %ld%s%s: ", try->error, when, answer);
    else if (try->ended)
        snprintf(out, size, "END %ld: ", try->end_error);
    else if (try->started && try->write >= 0)
        snprintf(out, size, "%d %% written: ", try->write);
    else if (try->download >= 0)
        snprintf(out, size, "%d %% downloaded: ", try->download);
    else
        out[0] = '\0';
}

void transcript_judge(struct transcript_try *try)
{
    char where[128];
    size_t i = 0;
    while (!rules[i].fits(try)) /* the last rule always fits */
        i++;
    try->outcome = rules[i].outcome;
    try->cause = rules[i].cause;
    const char *words = rules[i].words ? rules[i].words : explain_error(try);
    say_where(try, where, sizeof where);
    snprintf(try->words, sizeof try->words, "%s%s", where, words);
}
