/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl matrix, queue */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "ctl/build.h"
#include "ctl/command.h"
#include "ctl/terminal.h"
#include "ctl/grid.h"
#include "base/text.h"

#define KB          1024
#define LABEL_SIZE  40
#define VERSION_MAX 4096 /* more versions than a server can hold */

/* Marks in the cells and labels. A mark that occurs is explained below the table. */
enum mark { MARK_NONE, MARK_OVER, MARK_PENDING, MARK_FAILED, MARK_UNPROVEN, MARK_WITHDRAWN, MARKS };

struct matrix {
    json_t *names; /* of the builds: of most versions there is one */
    size_t count;
    char (*label)[LABEL_SIZE];
    const char **labels;
    struct grid_cell *cell;
    long long unit; /* bytes; cells count in this unit */
    bool colour;
    size_t seen[MARKS];
};

static const char *text_of(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : "";
}

static long long number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

/* Cells */

static enum mark mark_of(const json_t *pair)
{
    const char *state = text_of(pair, "state");
    if (strcmp(state, "queued") == 0 || strcmp(state, "generating") == 0)
        return MARK_PENDING;
    if (strcmp(state, "failed") == 0)
        return MARK_FAILED;
    if (strcmp(state, "oversize") == 0)
        return MARK_OVER;
    return json_is_true(json_object_get(pair, "proven")) || json_is_true(json_object_get(pair, "released"))
               ? MARK_NONE
               : MARK_UNPROVEN;
}

/* The size is rounded up: a size over a limit of whole KB is over it in KB too. */
static void fill_cell(struct matrix *matrix, const json_t *pair, struct grid_cell *cell)
{
    enum mark mark = mark_of(pair);
    long long size = (number_of(pair, "size") + matrix->unit - 1) / matrix->unit;
    matrix->seen[mark]++;
    cell->loud = mark == MARK_OVER;
    if (mark == MARK_PENDING || mark == MARK_FAILED)
        snprintf(cell->text, sizeof cell->text, "%s", mark == MARK_PENDING ? "…" : "x");
    else
        snprintf(cell->text, sizeof cell->text, "%lld%s", size,
                 mark == MARK_UNPROVEN                  ? "?"
                 : mark == MARK_OVER && !matrix->colour ? "!"
                                                        : "");
}

static bool find_version(const json_t *places, const char *version, size_t *ret)
{
    const json_t *place = json_object_get(places, version);
    *ret = (size_t)json_integer_value(place);
    return place != NULL;
}

/* A server that knows no builds has only versions. */
static json_t *names_of(const json_t *answer, bool only_withdrawn)
{
    const json_t *builds = json_object_get(answer, "builds"), *build;
    json_t *names = json_array();
    size_t i;
    if (!json_is_array(builds))
        return json_decref(names),
               json_incref(json_object_get(answer, only_withdrawn ? "withdrawn" : "versions"));
    json_array_foreach (builds, i, build)
        if (!only_withdrawn || json_is_true(json_object_get(build, "withdrawn")))
            json_array_append(names, json_object_get(build, "name"));
    return names;
}

static void fill(struct matrix *matrix, const json_t *answer, json_t *withdrawn)
{
    json_t *places = json_object(), *version;
    json_t *pairs = json_object_get(answer, "pairs"), *pair;
    size_t i, from, to;
    json_array_foreach (matrix->names, i, version) {
        snprintf(matrix->label[i], LABEL_SIZE, "%.38s",
                 json_string_value(version) ? json_string_value(version) : "?");
        matrix->labels[i] = matrix->label[i];
        json_object_set_new(places, json_string_value(version) ? json_string_value(version) : "?",
                            json_integer((json_int_t)i));
    }
    json_array_foreach (pairs, i, pair)
        if (find_version(places, text_of(pair, "from"), &from) &&
            find_version(places, text_of(pair, "to"), &to))
            fill_cell(matrix, pair, &matrix->cell[from * matrix->count + to]);
    json_array_foreach (withdrawn, i, version) {
        if (!json_is_string(version) || !find_version(places, json_string_value(version), &to))
            continue;
        if (strlen(matrix->label[to]) + 1 < LABEL_SIZE)
            strcat(matrix->label[to], "*");
        matrix->seen[MARK_WITHDRAWN]++;
    }
    json_decref(places);
}

/* Printing */

static void print_legend(const struct matrix *matrix, const json_t *answer)
{
    static const struct {
        enum mark mark;
        const char *text;
    } lines[] = {{MARK_FAILED, "x   could not be made; dfotactl package list shows why"},
                 {MARK_UNPROVEN, "?   unproven and not released"},
                 {MARK_WITHDRAWN, "*   withdrawn: no upgrade leads to this version"}};
    if (matrix->seen[MARK_OVER])
        puts(matrix->colour ? "\033[31mred\033[0m over the limit" : "!   over the limit");
    if (matrix->seen[MARK_PENDING]) {
        _cleanup_(cleanup_free) char *left = table_value(answer, "queue.estimate_ms", TABLE_DURATION);
        bool known = left && strcmp(left, "-") != 0;
        printf("…   still to be made: %zu%s%s\n", matrix->seen[MARK_PENDING], known ? "; takes about " : "",
               known ? left : "");
    }
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (matrix->seen[lines[i].mark])
            puts(lines[i].text);
}

/* Full packages of CSDK. */
static void print_full_packages(const json_t *answer)
{
    const json_t *list = json_object_get(answer, "full_packages"), *item;
    size_t i;
    if (json_array_size(list))
        puts("\nfull packages, from any version:");
    json_array_foreach (list, i, item) {
        const json_t *size = json_object_get(item, "size");
        printf("  any → %s  ", text_of(item, "to"));
        if (json_is_integer(size))
            printf("%lld KB, ", (json_integer_value(size) + KB - 1) / KB);
        puts(text_of(item, "state"));
    }
}

static void print_table(const struct matrix *matrix, const json_t *answer)
{
    const struct grid grid = {"KB", matrix->labels, matrix->count, matrix->cell};
    long long limit = number_of(answer, "limit");
    char heading[256];
    snprintf(heading, sizeof heading, "%.120s: KB per package, rounded up; limit %lld KB (%lld bytes)",
             text_of(answer, "firmware"), limit / KB, limit);
    text_wrap(stdout, 0, heading);
    if (json_is_null(json_object_get(answer, "format")))
        puts("No package format is set: no packages are made.");
    putchar('\n');
    grid_print(stdout, &grid, terminal_columns(stdout), matrix->colour);
    size_t full = json_array_size(json_object_get(answer, "full"));
    if (matrix->count < 2 && !full)
        puts("(fewer than two images)");
    if (full == 1)
        puts("(1 version is a full package: devices download all of it, not a delta)");
    else if (full)
        printf("(%zu versions are full packages: devices download all of it, not a delta)\n", full);
    for (int mark = MARK_OVER; mark < MARKS; mark++)
        if (matrix->seen[mark]) {
            putchar('\n');
            break;
        }
    print_legend(matrix, answer);
    print_full_packages(answer);
}

static void print_csv(const struct matrix *matrix)
{
    fputs("from", stdout);
    for (size_t column = 1; column < matrix->count; column++)
        printf(",%s", matrix->labels[column]);
    putchar('\n');
    for (size_t row = 0; row + 1 < matrix->count; row++) {
        fputs(matrix->labels[row], stdout);
        for (size_t column = 1; column < matrix->count; column++)
            printf(",%s", row < column ? matrix->cell[row * matrix->count + column].text : "");
        putchar('\n');
    }
}

static bool print_builds(struct session *session, const json_t *answer, json_t *names, json_t *withdrawn,
                         struct failure *fail)
{
    bool csv = session->options->print_csv;
    struct matrix matrix = {
        .names = names, .unit = csv ? 1 : KB, .colour = !csv && terminal_has_colour(stdout)};
    matrix.count = json_array_size(matrix.names);
    if (!json_is_array(matrix.names) || matrix.count > VERSION_MAX)
        return failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a matrix");
    matrix.label = calloc(matrix.count + 1, sizeof *matrix.label);
    matrix.labels = calloc(matrix.count + 1, sizeof *matrix.labels);
    matrix.cell = calloc(matrix.count * matrix.count + 1, sizeof *matrix.cell);
    bool ok =
        (matrix.label && matrix.labels && matrix.cell) || failure_set(fail, EXIT_USAGE, "out of memory");
    if (ok) {
        build_show_ends(session, json_object_get(answer, "pairs"));
        fill(&matrix, answer, withdrawn);
        if (csv)
            print_csv(&matrix);
        else
            print_table(&matrix, answer);
    }
    free(matrix.label);
    free(matrix.labels);
    free(matrix.cell);
    return ok;
}

static bool print_matrix(struct session *session, const json_t *answer, struct failure *fail)
{
    json_t *names = names_of(answer, false), *withdrawn = names_of(answer, true);
    bool ok = print_builds(session, answer, names, withdrawn, fail);
    json_decref(names);
    json_decref(withdrawn);
    return ok;
}

bool matrix_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (session->options->columns)
        return failure_set(fail, EXIT_USAGE,
                           "matrix has a column for each version: it does not take --columns");
    if (session->json && session->options->print_csv)
        return failure_set(fail, EXIT_USAGE, "--csv and -o json cannot be used together");
    if (!session_path(session, &path, fail, "firmware", session->args[0], "matrix", NULL) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    if (session->json)
        session_print_json(answer);
    bool ok = session->json || print_matrix(session, answer, fail);
    json_decref(answer);
    return ok;
}

/* The queue */

static const struct table_column queue_columns[] = {
    {"FIRMWARE", "firmware", TABLE_TEXT}, {"FROM", "from", TABLE_TEXT},         {"TO", "to", TABLE_TEXT},
    {"STATE", "state", TABLE_TEXT},       {"DEVICES", "waiting", TABLE_NUMBER}, {"FOR", "wanted", TABLE_TEXT},
    {"QUEUED", "queued_at", TABLE_TIME},
};
static const struct table_view queue_view = {queue_columns, TABLE_COUNT(queue_columns), "error", "! "};

#define QUEUE_SHOWN "20" /* in a table for people */

/* Adds the queue of one firmware to items. *ret: the answer without its items, owned by the caller; ret may
   be NULL. */
static bool collect(struct session *session, const char *firmware, json_t *items, json_t **ret,
                    struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL, *item;
    size_t i;
    if (!session_path(session, &path, fail, "firmware", firmware, "queue", NULL) ||
        !client_path_query(&path, "limit", session->json ? "1000" : QUEUE_SHOWN, fail) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    json_array_foreach (json_object_get(answer, "items"), i, item) {
        json_object_set_new(item, "firmware", json_string(firmware));
        json_array_append(items, item);
    }
    json_object_del(answer, "items");
    if (ret)
        *ret = answer;
    else
        json_decref(answer);
    return true;
}

/* Adds the queues of all firmwares to items. *ret: the totals of the server, owned by the caller. */
static bool collect_all(struct session *session, json_t *items, json_t **ret, struct failure *fail)
{
    struct client_path path;
    json_t *list = NULL, *status = NULL, *firmware;
    size_t i;
    if (!session_path(session, &path, fail, "firmware", NULL) ||
        !client_get(session->client, path.text, &list, fail))
        return false;
    bool ok = true;
    json_array_foreach (json_object_get(list, "items"), i, firmware)
        if (ok)
            ok = collect(session, text_of(firmware, "firmware"), items, NULL, fail);
    json_decref(list);
    if (!ok || !client_get(session->client, "/status", &status, fail))
        return false;
    *ret = json_incref(json_object_get(status, "packages"));
    json_decref(status);
    return true;
}

static void print_totals(const json_t *totals)
{
    _cleanup_(cleanup_free) char *left = table_value(totals, "estimate_ms", TABLE_DURATION);
    printf("\n%lld queued, %lld being made; ", number_of(totals, "queued"), number_of(totals, "generating"));
    if (left && strcmp(left, "-") != 0)
        printf("all takes about %s\n", left);
    else
        puts("the time is not known yet");
}

bool queue_show(struct session *session, struct failure *fail)
{
    json_t *items = json_array(), *totals = NULL;
    bool ok = session->arg_count ? collect(session, session->args[0], items, &totals, fail)
                                 : collect_all(session, items, &totals, fail);
    if (ok && session->json) {
        json_object_set(totals, "items", items);
        session_print_json(totals);
    } else if (ok) {
        build_show_ends(session, items);
        table_print(stdout, items, &queue_view);
        print_totals(totals);
    }
    json_decref(totals);
    json_decref(items);
    return ok;
}
