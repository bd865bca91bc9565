/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/transcript_cause.h"

#include <stdio.h>

#define INVALID (-1003) /* what the module says for everything that it cannot take */

/* What the server meant by a code of the dialect (answer.h has the platform's own words). */
static const struct {
    long code;
    const char *words;
} codes[] = {
    {3, "the server found no usable IMEI, MAC or UID, or no such link (code 3)"},
    {17, "the server says that firmware and project do not belong together (code 17)"},
    {21, "the server does not let it upgrade (code 21)"},
    {25, "the server knows no such project key (code 25)"},
    {26, "the server knows no such firmware in the project (code 26)"},
    {27, "the server says that there is nothing newer for it (code 27)"},
    {40, "the loop guard is closed: an admin has to unblock the device (code 40)"},
    {43, "the server said wait: the package was still being made (code 43); ask again"},
    {44, "the server has no image of the version it runs (code 44)"},
};

static const struct {
    long error;
    enum transcript_cause cause;
    const char *words;
} errors[] = {
    {-1000, CAUSE_BAD_URL, "the module takes the URL for malformed"},
    {-1001, CAUSE_NETWORK, "the module had no network"},
    {-1002, CAUSE_CONNECT, "the server could not be reached"},
    {INVALID, CAUSE_INVALID_PACKAGE, "what came is no valid package: the download broke off or was damaged"},
    {-1004, CAUSE_HTTP, "the module could not use the HTTP answer"},
    {-1005, CAUSE_STORING, "the module could not store the package: no room, or its flash failed"},
    {-1006, CAUSE_OTHER, "the module gives no better reason than 'other'"},
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

/* Tests of the rules */

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

/* It runs again, so the writing is not merely still going on. */
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

/* The first that fits tells it. */
static const struct {
    bool (*fits)(const struct transcript_try *try);
    enum transcript_outcome outcome;
    enum transcript_cause cause;
    const char *words; /* NULL: as the code, or the error, says */
} rules[] = {
    {refused_command, OUTCOME_FAILED, CAUSE_REFUSED_COMMAND, "the module refused the command AT+UPGRADE"},
    {was_told_wait, OUTCOME_FAILED, CAUSE_SERVER_WAIT,
     "the server said wait: the package was still being made (code 43); ask again"},
    {was_told_code, OUTCOME_FAILED, CAUSE_SERVER_ANSWER, NULL},
    {refused_package, OUTCOME_FAILED, CAUSE_REFUSED_PACKAGE,
     "the module refused the package: too big for it, or made for another base version"},
    {failed, OUTCOME_FAILED, CAUSE_OTHER, NULL},
    {ended_badly, OUTCOME_FAILED, CAUSE_UPDATER_ERROR, "the updater gave up: it is not applied"},
    {changed, OUTCOME_UPGRADED, CAUSE_NONE, "another version runs now"},
    {ended_unchanged, OUTCOME_FAILED, CAUSE_NOT_CHANGED,
     "the updater reported success, but the old version still runs"},
    {ended, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN,
     "the updater reported success; no version before and after it stands in the text"},
    {broke_while_writing, OUTCOME_FAILED, CAUSE_BROKEN_WHILE_WRITING,
     "it restarted while it was being written: was the power cut?"},
    {writes, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN,
     "the text ends while it is being written, or the power was cut"},
    {restarted_without_writing, OUTCOME_FAILED, CAUSE_NOT_VERIFIED,
     "it restarted without writing: the package was not verified, or the reset came before that"},
    {reset_in_download, OUTCOME_FAILED, CAUSE_RESET_IN_DOWNLOAD, "it restarted during the download"},
    {no_newer, OUTCOME_FAILED, CAUSE_NO_NEWER, "the server has nothing newer for it"},
    {is_whole, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN,
     "the package was downloaded; what the module did with it is not in the text"},
    {has_begun, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN, "the download was going on; its end is not in the text"},
    {always, OUTCOME_UNKNOWN, CAUSE_NOT_SEEN, "nothing that followed is in the text"},
};

/* What the error itself says, where no rule knows better. */
static const char *explain_error(struct transcript_try *try)
{
    if (try->cause == CAUSE_SERVER_ANSWER) {
        for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
            if (codes[i].code == try->code)
                return codes[i].words;
        return "the server refused with a code that is not known here";
    }
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (errors[i].error == try->error) {
            try->cause = errors[i].cause;
            return errors[i].words;
        }
    }
    return "the module gives an error that is not known here";
}

/* How far it came, with the module's own numbers. */
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
        snprintf(out, size, "written to %d %%: ", try->write);
    else if (try->download >= 0)
        snprintf(out, size, "downloaded to %d %%: ", try->download);
    else
        out[0] = '\0';
}

void transcript_judge(struct transcript_try *try)
{
    char where[128];
    size_t i = 0;
    while (!rules[i].fits(try)) /* the last one does */
        i++;
    try->outcome = rules[i].outcome;
    try->cause = rules[i].cause;
    const char *words = rules[i].words ? rules[i].words : explain_error(try);
    say_where(try, where, sizeof where);
    snprintf(try->words, sizeof try->words, "%s%s", where, words);
}
