/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl path: the path from one version to another, with what was ruled out. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/clock.h"
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/progress.h"
#include "base/text.h"

#define WAIT_MS 600000 /* without --timeout */
#define POLL_MS 1000

static const char *member(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "?";
}

static bool find_paths(struct session *session, struct client_path *ret, struct failure *fail)
{
    const char *given = session->options->firmware, *build = session->options->from_variant;
    char *only = NULL;
    bool ok = (given || session_only_firmware(session, &only, fail)) &&
              session_path(session, ret, fail, "firmware", given ? given : only, "paths", NULL) &&
              client_path_query(ret, "from", session->args[0], fail) &&
              (!build || client_path_query(ret, "from_variant", build, fail)) &&
              client_path_query(ret, "to", session->args[1], fail);
    free(only);
    return ok;
}

/* Printing */

static size_t pair_width(const json_t *pair)
{
    return text_width(member(pair, "from")) + 1 + text_width(member(pair, "to"));
}

static size_t widest(const json_t *pairs, size_t width)
{
    size_t i;
    json_t *pair;
    json_array_foreach (pairs, i, pair)
        width = pair_width(pair) > width ? pair_width(pair) : width;
    return width;
}

static void print_pair(const json_t *pair, size_t width)
{
    fputs("  ", stdout);
    text_put(stdout, member(pair, "from"));
    fputs("→", stdout);
    text_put(stdout, member(pair, "to"));
    text_blanks(stdout, width + 2 - pair_width(pair));
}

/* "43,059" */
static void format_number(long long number, char out[32])
{
    char digits[24];
    size_t used = 0, length = (size_t)snprintf(digits, sizeof digits, "%lld", number);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            out[used++] = ',';
        out[used++] = digits[i];
    }
    out[used] = '\0';
}

/* Right-aligned in 11 columns. */
static void print_size(const json_t *number)
{
    char text[32];
    format_number(json_integer_value(number), text);
    printf("%11s", text);
}

static void print_hops(const json_t *answer, size_t width)
{
    size_t i;
    const json_t *hops = json_object_get(answer, "hops");
    json_t *hop;
    json_array_foreach (hops, i, hop) {
        print_pair(hop, width);
        print_size(json_object_get(hop, "size"));
        puts(json_is_true(json_object_get(hop, "full")) ? " bytes, a full package" : " bytes");
    }
    if (json_array_size(hops) < 2)
        return;
    fputs("  in total", stdout);
    text_blanks(stdout, width > 6 ? width - 6 : 0);
    print_size(json_object_get(answer, "size"));
    fputs(" bytes\n", stdout);
}

static void print_bytes(long long bytes)
{
    char text[32];
    format_number(bytes, text);
    printf("%s bytes", text);
}

/* "the full package has 1,301,200 bytes, 1,286,733 more than the deltas". */
static void print_size_of_full(const json_t *full)
{
    const json_t *size = json_object_get(full, "size"), *more = json_object_get(full, "more_bytes");
    char text[32];
    if (!json_is_integer(size)) {
        printf("the full package: %s\n", member(full, "state"));
        return;
    }
    fputs("the full package has ", stdout);
    print_bytes(json_integer_value(size));
    if (json_is_integer(more)) {
        long long bytes = json_integer_value(more);
        format_number(bytes < 0 ? -bytes : bytes, text);
        printf(", %s %s than the deltas", text, bytes < 0 ? "fewer" : "more");
    }
    putchar('\n');
}

/* The other way: the full package beside a path of deltas, or the deltas beside a full package. */
static void print_full(const json_t *answer)
{
    const json_t *full = json_object_get(answer, "full"), *deltas = json_object_get(full, "deltas");
    size_t hops = json_array_size(json_object_get(deltas, "hops"));
    if (!json_is_object(full))
        return;
    print_size_of_full(full);
    if (!json_is_true(json_object_get(full, "used")))
        return;
    if (!hops) {
        puts(strcmp(member(deltas, "state"), "none") == 0 ? "there is no path of deltas"
                                                          : "a path of deltas is not known yet");
        return;
    }
    printf("the path of deltas has %zu %s, ", hops, hops == 1 ? "hop" : "hops");
    print_bytes(json_integer_value(json_object_get(deltas, "size")));
    putchar('\n');
}

static void print_reasons(const char *heading, const json_t *pairs, const char *key, size_t width)
{
    size_t i;
    json_t *pair;
    if (json_array_size(pairs) == 0)
        return;
    printf("%s\n", heading);
    json_array_foreach (pairs, i, pair) {
        print_pair(pair, width);
        text_wrap(stdout, width + 4, member(pair, key));
    }
}

/* Packages that are still to be made, then packages a little over the limit, which the server tries to make
   smaller. */
static void print_waiting(const json_t *answer, size_t width)
{
    const json_t *waiting = json_object_get(answer, "waiting");
    json_int_t limit = json_integer_value(json_object_get(answer, "limit"));
    bool begun = false;
    for (int smaller = 0; smaller < 2; smaller++, begun = false) {
        size_t i;
        json_t *pair;
        json_array_foreach (waiting, i, pair) {
            char size[96];
            if ((strcmp(member(pair, "state"), "oversize") == 0) != smaller)
                continue;
            if (!begun)
                puts(smaller ? "being made smaller:" : "still to be made:");
            begun = true;
            print_pair(pair, width);
            snprintf(size, sizeof size, "%" JSON_INTEGER_FORMAT " bytes, the limit is %" JSON_INTEGER_FORMAT,
                     json_integer_value(json_object_get(pair, "size")), limit);
            text_wrap(stdout, width + 4, smaller ? size : member(pair, "state"));
        }
    }
}

static void print_heading(const json_t *answer)
{
    const char *state = member(answer, "state");
    size_t hops = json_array_size(json_object_get(answer, "hops"));
    text_put(stdout, member(answer, "from"));
    fputs("→", stdout);
    text_put(stdout, member(answer, "to"));
    if (strcmp(state, "path") == 0)
        printf(": a path of %zu %s\n", hops, hops == 1 ? "hop" : "hops");
    else if (strcmp(state, "waiting") == 0)
        puts(hops ? ": not final yet; the path so far" : ": not known yet");
    else
        puts(": no path");
}

static void print_answer(const struct session *session, json_t *answer)
{
    if (session->json) {
        session_print_json(answer);
        return;
    }
    build_show_ends(session, answer);
    build_show_ends(session, json_object_get(answer, "hops"));
    build_show_ends(session, json_object_get(answer, "excluded"));
    build_show_ends(session, json_object_get(answer, "waiting"));
    const json_t *excluded = json_object_get(answer, "excluded"),
                 *waiting = json_object_get(answer, "waiting");
    const json_t *advice = json_object_get(answer, "advice");
    size_t width = widest(waiting, widest(excluded, widest(json_object_get(answer, "hops"), 0)));
    print_heading(answer);
    print_hops(answer, width);
    print_full(answer);
    print_reasons("ruled out:", excluded, "reason", width);
    print_waiting(answer, width);
    if (json_is_string(advice)) {
        fputs("advice: ", stdout);
        text_wrap(stdout, 8, json_string_value(advice));
    }
}

/* The command */

static bool is_final(const json_t *answer)
{
    return strcmp(member(answer, "state"), "waiting") != 0;
}

/* Requests again and again: which packages are needed next may depend on those that were made. *answer is
   replaced. */
static bool wait_until_final(struct session *session, const char *path, json_t **answer, struct failure *fail)
{
    const struct timespec pause = {POLL_MS / 1000, POLL_MS % 1000 * 1000000};
    int64_t end = clock_boot_ms() + WAIT_MS;
    bool limited = session->options->timeout_s > 0;
    while (!is_final(*answer)) {
        struct client_answer now = {0};
        if (limited ? client_is_late(session->client) : clock_boot_ms() >= end)
            return failure_set(fail, EXIT_NOT_READY, "the time has passed, and the path is not final yet");
        progress_say(path, "searching a path");
        nanosleep(&pause, NULL);
        if (client_is_late(session->client))
            continue;
        if (!client_change(session->client, "POST", path, NULL, &now, fail))
            return false;
        json_decref(*answer);
        *answer = json_incref(now.json);
        client_answer_clear(&now);
    }
    progress_end();
    return true;
}

bool path_show(struct session *session, struct failure *fail)
{
    bool wait = session->options->wait;
    struct client_answer first = {0};
    struct client_path path;
    if (!find_paths(session, &path, fail) ||
        !client_change(session->client, wait ? "POST" : "GET", path.text, NULL, &first, fail))
        return false;
    json_t *answer = json_incref(first.json);
    client_answer_clear(&first);
    bool ok = !wait || wait_until_final(session, path.text, &answer, fail);
    if (ok || fail->status == EXIT_NOT_READY)
        print_answer(session, answer);
    if (ok && wait && strcmp(member(answer, "state"), "path") != 0)
        ok = failure_set(fail, EXIT_NOT_READY, "there is no path from %s to %s", member(answer, "from"),
                         member(answer, "to"));
    json_decref(answer);
    return ok;
}
