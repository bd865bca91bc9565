/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl ledger list, head, verify, prune */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/chain.h"
#include "base/cleanup.h"
#include "base/slice.h"
#include "ctl/command.h"
#include "ctl/input.h"
#include "base/text.h"

#define PAGE     "1000"
#define HEAD_MAX 4096

/* The list */

static const struct table_column list_columns[] = {
    {"ROW", "seq", TABLE_NUMBER},
    {"AT", "at", TABLE_TIME},
    {"KIND", "kind", TABLE_TEXT},
    {"DEVICE", "device", TABLE_TEXT},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "text", ""};

/* For a spreadsheet: one row per fact, with its hash. */
static const struct table_column csv_columns[] = {
    {"", "seq", TABLE_NUMBER},   {"", "at", TABLE_TIME},       {"", "kind", TABLE_TEXT},
    {"", "product", TABLE_TEXT}, {"", "firmware", TABLE_TEXT}, {"", "device", TABLE_TEXT},
    {"", "attempt", TABLE_TEXT}, {"", "package", TABLE_TEXT},  {"", "text", TABLE_TEXT},
    {"", "hash", TABLE_HASH},
};
static const struct table_view csv_view = {csv_columns, TABLE_COUNT(csv_columns), NULL, ""};

#define HASH_SHOWN 12 /* digits, as in other tables */

static void print_text(FILE *out, const char *text)
{
    struct sha256 hash;
    bool is_hash = sha256_from_hex(slice_of(text), &hash);
    fprintf(out, "%.*s", is_hash ? HASH_SHOWN : (int)strlen(text), text);
}

/* "Li Wei, token 1f0e3d9a, from 127.0.0.1:40312" */
static bool print_author(FILE *out, const json_t *by)
{
    const char *name = json_string_value(json_object_get(by, "name"));
    const char *token = json_string_value(json_object_get(by, "token"));
    const char *peer = json_string_value(json_object_get(by, "peer"));
    if (!token || !peer)
        return false;
    fprintf(out, "%s%stoken %s from %s", name ? name : "", name ? ", " : "", token, peer);
    return true;
}

static void print_member(FILE *out, const char *name, const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_null(value) || !value)
        return;
    fprintf(out, "%s%s: ", ftell(out) > 0 ? "; " : "", name);
    if (text) {
        print_text(out, text);
    } else if (!print_author(out, value)) {
        char *dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
        fputs(dumped ? dumped : "?", out);
        free(dumped);
    }
}

/* The text under a row: what the row refers to, and its detail. Owned by the caller. */
static char *describe(json_t *row)
{
    static const char *const refers[] = {"product", "firmware", "attempt", "package"};
    char *text = NULL;
    size_t size;
    const char *name;
    json_t *value, *detail = json_object_get(row, "detail");
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (size_t i = 0; i < sizeof refers / sizeof refers[0]; i++)
        print_member(out, refers[i], json_object_get(row, refers[i]));
    if (json_is_object(detail))
        json_object_foreach (detail, name, value)
            print_member(out, name, value);
    else
        print_member(out, "detail", detail);
    fclose(out);
    return text;
}

static bool add_text(struct client_path *path, const char *name, const char *value, struct failure *fail)
{
    return !value || client_path_query(path, name, value, fail);
}

static bool add_time(struct client_path *path, const char *name, int64_t time_ms, struct failure *fail)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, time_ms);
    return !time_ms || client_path_query(path, name, text, fail);
}

static bool add_filters(const struct ctl_options *options, struct client_path *path, struct failure *fail)
{
    return add_text(path, "product", options->product, fail) &&
           add_text(path, "device", options->device, fail) && add_text(path, "kind", options->kind, fail) &&
           add_time(path, "since", options->since_ms, fail) &&
           add_time(path, "until", options->until_ms, fail);
}

bool ledger_list(struct session *session, struct failure *fail)
{
    struct client_path path = {.len = 0};
    json_t *answer = NULL, *row;
    size_t i;
    bool ok = client_path_add(&path, "ledger", fail) && add_filters(session->options, &path, fail) &&
              session_fetch_pages(session, path.text, &answer, fail);
    if (ok && !session->json)
        json_array_foreach (json_object_get(answer, "items"), i, row) {
            char *text = describe(row);
            json_object_set_new(row, "text", json_string(text ? text : ""));
            free(text);
        }
    ok =
        ok && session_print_list(session, answer, session->options->print_csv ? &csv_view : &list_view, fail);
    json_decref(answer);
    return ok;
}

/* The head */

bool ledger_head(struct session *session, struct failure *fail)
{
    static const struct table_column columns[] = {
        {"Row", "seq", TABLE_NUMBER},
        {"At", "at", TABLE_TIME},
        {"Hash", "hash", TABLE_HASH},
    };
    static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};
    return session_show(session, "GET", "/ledger/head", &view, fail);
}

/* The check */

static const char *text_of(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text ? text : "";
}

static bool hash_of(const json_t *row, const char *name, struct sha256 *ret)
{
    return sha256_from_hex(slice_of(text_of(row, name)), ret);
}

/* The detail as it was hashed; owned by the caller. The server sends an object only if the object, dumped
   like this, gives the text in its database. */
static char *detail_of(const json_t *row)
{
    const json_t *detail = json_object_get(row, "detail");
    if (json_is_object(detail))
        return json_dumps(detail, JSON_COMPACT | JSON_SORT_KEYS);
    return strdup(text_of(row, "detail"));
}

static bool check_row(struct chain_check *check, const json_t *json, struct failure *fail)
{
    _cleanup_(cleanup_free) char *detail = detail_of(json);
    struct error err;
    struct chain_row row = {
        .seq = json_integer_value(json_object_get(json, "seq")),
        .at_ms = json_integer_value(json_object_get(json, "at")),
        .kind = text_of(json, "kind"),
        .product = text_of(json, "product"),
        .firmware = text_of(json, "firmware"),
        .device = text_of(json, "device"),
        .attempt = json_integer_value(json_object_get(json, "attempt")),
        .package = text_of(json, "package"),
        .detail = detail,
    };
    if (!detail || !hash_of(json, "prev", &row.prev) || !hash_of(json, "hash", &row.hash))
        return failure_set(fail, EXIT_UNREACHABLE, "the rows from the server are not understood");
    return chain_check_row(check, &row, &err) || failure_set(fail, EXIT_REFUSED, "%s", err.text);
}

static bool check_page(void *cls, const json_t *answer, struct failure *fail)
{
    size_t i;
    json_t *row;
    json_array_foreach (json_object_get(answer, "items"), i, row)
        if (!check_row(cls, row, fail))
            return false;
    return true;
}

static bool read_head(const char *path, struct chain_head *ret, struct failure *fail)
{
    char text[HEAD_MAX];
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(path, &file, fail))
        return false;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    return chain_head_read(text, ret) ||
           failure_set(fail, EXIT_USAGE, "%s is not a head as printed by dfotactl ledger head -o json", path);
}

static void print_outcome(const struct session *session, const struct chain_check *check)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hex(&check->last.hash, hash);
    if (session->json) {
        json_t *out =
            json_pack("{s:I, s:I, s:I, s:s, s:o}", "rows", (json_int_t)check->count, "first",
                      (json_int_t)check->first_seq, "last", (json_int_t)check->last.seq, "hash", hash,
                      "against", check->compares ? json_integer(check->against.seq) : json_null());
        session_print_json(out);
        json_decref(out);
        return;
    }
    printf("The ledger is unchanged: %" PRId64 " rows; the last row is %" PRId64 ", with the hash\n%s\n",
           check->count, check->last.seq, hash);
    if (check->compares)
        printf("Row %" PRId64 " is the same as in the head.\n", check->against.seq);
    else
        text_wrap(
            stdout, 0,
            "Without --against FILE this does not show whether rows are missing at the end, or whether the "
            "whole ledger was computed again.");
}

bool ledger_verify(struct session *session, struct failure *fail)
{
    const char *head = session->options->against;
    struct chain_check check = {.compares = head != NULL};
    struct error err;
    if ((head && !read_head(head, &check.against, fail)) ||
        !session_walk(session, "/ledger?limit=" PAGE, check_page, &check, fail))
        return false;
    if (!chain_check_end(&check, &err))
        return failure_set(fail, EXIT_REFUSED, "%s", err.text);
    print_outcome(session, &check);
    return true;
}

/* Removing old rows */

bool ledger_prune(struct session *session, struct failure *fail)
{
    static const struct table_column columns[] = {
        {"Rows removed", "removed", TABLE_NUMBER},
        {"  from", "first", TABLE_NUMBER},
        {"  to", "last", TABLE_NUMBER},
        {"Days of counts removed", "days", TABLE_NUMBER},
    };
    static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};
    struct client_answer answer = {0};
    json_t *body = json_pack("{s:I, s:s*}", "before", (json_int_t)session->options->before_ms, "by",
                             session->options->by);
    bool ok = session_check_json(body, fail) &&
              client_change(session->client, "POST", "/ledger/prune", body, &answer, fail);
    json_decref(body);
    if (ok)
        session_print_page(session, answer.json, &view);
    client_answer_clear(&answer);
    return ok;
}
