/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/transcript.h"

#include <stdio.h>
#include <strings.h>

#include "upgrade/at_line.h"
#include "upgrade/transcript_cause.h"

#define LINE_MAX_SIZE 300 /* longer than every known line */
#define STEP          10  /* +UPGRADEIND counts in tens, +UPGRADEDL in ones: they may differ by this much */

enum command { COMMAND_OTHER, COMMAND_UPGRADE, COMMAND_VERSION };

struct reader {
    struct transcript *found;
    enum command command; /* the last command, whose answer follows */
    int64_t now_ms;       /* the last network time */
    bool unsettled; /* a package is complete or being written: the last printed version may be outdated */
};

static bool percent(const struct at_args *said, unsigned arg, int *ret)
{
    long value;
    if (arg >= said->count || !at_number(said->arg[arg], &value) || value < 0 || value > 100)
        return false;
    *ret = (int)value;
    return true;
}

/* ---- Tries ---- */

static struct transcript_try *last_try(const struct reader *reader)
{
    struct transcript *found = reader->found;
    return found->try_count ? &found->tries[found->try_count - 1] : NULL;
}

static struct transcript_try *begin_try(struct reader *reader, bool asked)
{
    struct transcript *found = reader->found;
    if (found->try_count == TRANSCRIPT_TRIES_MAX) {
        memmove(found->tries, found->tries + 1, (TRANSCRIPT_TRIES_MAX - 1) * sizeof *found->tries);
        found->try_count--;
        found->tries_dropped++;
    }
    struct transcript_try *try = &found->tries[found->try_count++];
    *try = (struct transcript_try){.asked = asked, .download = -1, .write = -1, .at_ms = reader->now_ms};
    if (!reader->unsettled)
        try->before = found->last;
    return try;
}

static bool downloads_no_more(const struct transcript_try *try)
{
    return try->failed || try->refused || try->no_newer || try->boot || try->started || try->ended;
}

/* The try that a line about a download belongs to. */
static struct transcript_try *downloading(struct reader *reader)
{
    struct transcript_try *try = last_try(reader);
    return !try || downloads_no_more(try) ? begin_try(reader, false) : try;
}

static bool progress(struct reader *reader, int value)
{
    struct transcript_try *try = downloading(reader);
    if (value + STEP < try->download) /* the download began again */
        try = begin_try(reader, false);
    if (value > try->download)
        try->download = value;
    if (value == 100)
        reader->unsettled = true;
    return true;
}

static void fail(struct reader *reader, struct transcript_try *try, long error)
{
    try->failed = true;
    try->error = error;
    reader->unsettled = false; /* the package was not applied: the old version still runs */
}

/* ---- Lines with a meaning ---- */

static bool take_ask(struct reader *reader, const struct at_args *said)
{
    (void)said;
    reader->command = COMMAND_UPGRADE;
    begin_try(reader, true);
    return true;
}

static bool take_version_command(struct reader *reader, const struct at_args *said)
{
    (void)said;
    reader->command = COMMAND_VERSION;
    return true;
}

static bool take_ok(struct reader *reader, const struct at_args *said)
{
    (void)said;
    reader->command = COMMAND_OTHER;
    return false;
}

static bool take_error(struct reader *reader, const struct at_args *said)
{
    struct transcript_try *try = last_try(reader);
    (void)said;
    if (reader->command == COMMAND_UPGRADE && try && try->download < 0 && !downloads_no_more(try))
        try->refused = true;
    reader->command = COMMAND_OTHER;
    return false;
}

static bool take_indication(struct reader *reader, const struct at_args *said)
{
    long value;
    int share;
    if (percent(said, 0, &share))
        return progress(reader, share);
    if (said->count == 0 || !at_number(said->arg[0], &value) || value >= 0)
        return false;
    fail(reader, downloading(reader), value);
    return true;
}

static bool take_download(struct reader *reader, const struct at_args *said)
{
    int share;
    return percent(said, 0, &share) && progress(reader, share);
}

/* "+UPGRADE: 0", "1,percent" or "2,error,HTTP status,code": the answer to AT+UPGRADE?, about the last try. */
static bool take_status(struct reader *reader, const struct at_args *said)
{
    struct transcript_try *try = last_try(reader);
    long state, error, status = 0, code = 0;
    int share;
    if (said->count == 0 || !at_number(said->arg[0], &state))
        return false;
    if (state == 1)
        return percent(said, 1, &share) && progress(reader, share);
    if (state != 2 || said->count < 2 || !at_number(said->arg[1], &error) || error >= 0)
        return state == 0;
    if ((said->count > 2 && !at_number(said->arg[2], &status)) ||
        (said->count > 3 && !at_number(said->arg[3], &code)))
        return false;
    if (!try || try->boot || try->started || (try->failed && try->error != error))
        try = begin_try(reader, false);
    if (!try->failed)
        fail(reader, try, error);
    try->has_answer = true;
    try->http_status = status;
    try->code = code;
    return true;
}

/* "+UPGRADEVER: 0" and "1" say whether there is a newer version; another value is the offered version. */
static bool take_offer(struct reader *reader, const struct at_args *said)
{
    struct full_name name;
    struct error err;
    if (said->count == 0)
        return false;
    if (slice_is(said->arg[0], "1"))
        return true;
    if (slice_is(said->arg[0], "0")) {
        downloading(reader)->no_newer = true;
        return true;
    }
    if (!version_parse(said->arg[0], &name.version) && !name_parse_full(said->arg[0], &name, &err))
        return false;
    downloading(reader)->offered = name.version;
    return true;
}

static bool take_boot(struct reader *reader, const struct at_args *said)
{
    struct transcript_try *try = last_try(reader);
    (void)said;
    reader->command = COMMAND_OTHER;
    if (try && !try->failed && !try->refused && (try->download >= 0 || try->started))
        try->boot = true;
    return true;
}

static bool take_ready(struct reader *reader, const struct at_args *said)
{
    struct transcript_try *try = last_try(reader);
    take_boot(reader, said);
    if (try && try->boot)
        try->ready = true;
    return true;
}

static bool take_fota(struct reader *reader, const struct at_args *said)
{
    struct transcript_try *try = last_try(reader);
    bool start = said->count > 1 && at_is(said->arg[1], "START"),
         end = said->count > 2 && at_is(said->arg[1], "END");
    long error = 0;
    int share = -1;
    if (said->count < 2 || !at_is(said->arg[0], "FOTA") || (end && !at_number(said->arg[2], &error)) ||
        (!start && !end && !(at_is(said->arg[1], "UPDATING") && percent(said, 2, &share))))
        return false;
    if (!try || try->failed || try->refused || try->ready || (try->ended && !end))
        try = begin_try(reader, false);
    reader->unsettled = true;
    try->boot = true;
    try->started = true;
    if (share > try->write)
        try->write = share;
    if (end) {
        try->ended = true;
        try->end_error = error;
    }
    return true;
}

static bool take_time(struct reader *reader, const struct at_args *said)
{
    if (!at_network_time(said, &reader->now_ms))
        return false;
    if (!reader->found->first_ms)
        reader->found->first_ms = reader->now_ms;
    reader->found->last_ms = reader->now_ms;
    return true;
}

static void see(struct reader *reader, const struct full_name *name)
{
    struct transcript *found = reader->found;
    struct transcript_try *try = last_try(reader);
    const struct transcript_seen seen = {*name, reader->now_ms};
    if (try && try->boot)
        reader->unsettled = false; /* the module runs again and prints its version */
    found->last = seen;
    if (!found->first.name.version.count)
        found->first = seen;
    if (!try)
        return;
    if (try->failed || try->refused || try->no_newer || try->boot) {
        if (!try->after.name.version.count)
            try->after = seen;
    } else if (!try->before.name.version.count) {
        try->before = seen;
    }
}

static bool take_version(struct reader *reader, const struct at_args *said)
{
    struct full_name name;
    if (said->count != 1 || !at_name(said->arg[0], &name))
        return false;
    see(reader, &name);
    return true;
}

/* A line with only a name. Without the command before it (the echo may be off) it must be a name of the
   vendor. */
static bool take_name(struct reader *reader, struct slice line)
{
    struct full_name name;
    if ((reader->command != COMMAND_VERSION && !slice_starts(line, "AirM2M_")) || !at_name(line, &name))
        return false;
    see(reader, &name);
    return true;
}

/* The known lines. WHOLE: the line contains nothing else. ARGS: values between commas follow. START: the
   rest does not matter. `names`: the line contains a version, so it needs a line end on both sides. A
   handler returns whether it understood the line. */
static const struct {
    const char *begin;
    enum { WHOLE, ARGS, START } form;
    bool names;
    bool (*take)(struct reader *reader, const struct at_args *said);
} events[] = {
    {"AT+UPGRADE", WHOLE, false, take_ask},
    {"ATI", WHOLE, false, take_version_command},
    {"AT+VER", WHOLE, false, take_version_command},
    {"AT", START, false, take_ok}, /* another command: no answer is expected any more */
    {"OK", WHOLE, false, take_ok},
    {"ERROR", WHOLE, false, take_error},
    {"+CME ERROR:", START, false, take_error},
    {"+VER:", ARGS, true, take_version},
    {"+UPGRADEIND:", ARGS, false, take_indication},
    {"+UPGRADEDL:", ARGS, false, take_download},
    {"+UPGRADEVER:", ARGS, false, take_offer},
    {"+UPGRADE:", ARGS, false, take_status},
    {"^boot.rom", START, false, take_boot},
    {"+QIND:", ARGS, false, take_fota},
    {"RDY", WHOLE, false, take_ready},
    {"+NITZ:", ARGS, false, take_time},
};

/* ---- Reading lines ---- */

static bool begins(struct slice line, const char *word)
{
    size_t len = strlen(word);
    return line.len >= len && (line.ptr[0] | 32) == (word[0] | 32) && strncasecmp(line.ptr, word, len) == 0;
}

/* Noise may have replaced characters. It is allowed before a line. After a line it is allowed only if no
   value can be lost. It is never allowed beside a version. */
static void take_line(struct reader *reader, struct slice raw, bool first)
{
    struct slice strict = at_line_text(raw);
    struct slice line = at_trim_begin(strict, at_is_noise);
    bool told;
    if (line.len == 0 || line.len > LINE_MAX_SIZE)
        return;
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct at_args said = {.count = 0};
        struct slice text = events[i].names ? strict : line;
        if (!begins(text, events[i].begin) ||
            (events[i].form == WHOLE && !at_is(at_trim_end(text, at_is_noise), events[i].begin)))
            continue;
        if (events[i].form == ARGS) {
            size_t len = strlen(events[i].begin);
            at_split((struct slice){text.ptr + len, text.len - len}, &said);
        }
        told = !(events[i].names && first) && events[i].take(reader, &said);
        reader->found->lines_known += told;
        return;
    }
    if (!first)
        reader->found->lines_known += take_name(reader, strict);
}

void transcript_read(struct slice text, struct transcript *ret)
{
    struct reader reader = {.found = ret};
    size_t begin = 0, len = text.len < TRANSCRIPT_MAX_BYTES ? text.len : TRANSCRIPT_MAX_BYTES;
    bool first = true; /* no line end before the line */
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; i < len; i++) {
        if (text.ptr[i] != '\r' && text.ptr[i] != '\n')
            continue;
        take_line(&reader, (struct slice){text.ptr + begin, i - begin}, first);
        first = false;
        begin = i + 1;
    }
    ret->last_holds = ret->last.name.version.count && !reader.unsettled;
    for (unsigned i = 0; i < ret->try_count; i++)
        transcript_judge(&ret->tries[i]);
}

static const char *const outcome_names[] = {
#define X(outcome, name) [outcome] = name,
    TRANSCRIPT_OUTCOMES(X)
#undef X
};
const struct enum_names transcript_outcome_names = ENUM_NAMES(outcome_names);

static const char *const cause_names[] = {
#define X(cause, name) [cause] = name,
    TRANSCRIPT_CAUSES(X)
#undef X
};
const struct enum_names transcript_cause_names = ENUM_NAMES(cause_names);

const char *transcript_outcome_name(enum transcript_outcome outcome)
{
    return outcome_names[outcome];
}

const char *transcript_cause_name(enum transcript_cause cause)
{
    return cause_names[cause];
}
