/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/slice.h"
#include "ctl/digest.h"
#include "ctl/http.h"
#include "ctl/reason.h"
#include "ctl/refusal.h"
#include "ctl/retry.h"

#define API       "/api/v1"
#define TOKEN_MAX 512
#define BY_MAX    100 /* bytes; the server refuses a longer name */

struct client {
    char *base; /* no slash at the end */
    char *token;
    const char *by; /* name of the person, for the ledger; or NULL */
    struct http_connect connect;
    int64_t deadline_ms; /* boot clock; 0: none */
    enum reason_language language;
    char *match; /* If-Match of changing calls; or NULL */
};

static void cleanup_url(CURLU **url)
{
    curl_url_cleanup(*url);
}

static void cleanup_curl_text(char **text)
{
    curl_free(*text);
}

static void cleanup_digest(struct digest_file *file)
{
    digest_close(file);
}

static void cleanup_answer(struct http_answer *answer)
{
    http_answer_clear(answer);
}

static bool is_loopback(const char *host)
{
    return strcmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 || strcmp(host, "[::1]") == 0;
}

/* Accepts only http[s]://HOST[:PORT][/PREFIX]. *ret_direct: the host is this machine, so a proxy must not
   be used. */
static bool check_url(const char *text, bool *ret_direct, struct failure *fail)
{
    _cleanup_(cleanup_url) CURLU *url = curl_url();
    _cleanup_(cleanup_curl_text) char *scheme = NULL;
    _cleanup_(cleanup_curl_text) char *host = NULL;
    _cleanup_(cleanup_curl_text) char *user = NULL;
    _cleanup_(cleanup_curl_text) char *query = NULL;
    if (!url || curl_url_set(url, CURLUPART_URL, text, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
        curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        return failure_set(fail, EXIT_USAGE, "%s is not an address like http://127.0.0.1:8081", text);
    curl_url_get(url, CURLUPART_USER, &user, 0);
    curl_url_get(url, CURLUPART_QUERY, &query, 0);
    if (user || query || strchr(text, '#') || strchr(text, '?'))
        return failure_set(fail, EXIT_USAGE, "the address must not contain a user, a query or a fragment: %s",
                           text);
    *ret_direct = is_loopback(host);
    return true;
}

static bool check_token(const char *token, struct failure *fail)
{
    size_t len = strlen(token);
    if (len == 0)
        return failure_set(fail, EXIT_USAGE, "the token is empty");
    if (len >= TOKEN_MAX)
        return failure_set(fail, EXIT_USAGE, "the token is longer than %d bytes", TOKEN_MAX - 1);
    for (size_t i = 0; i < len; i++)
        if (token[i] <= ' ' || token[i] > '~')
            return failure_set(fail, EXIT_USAGE,
                               "the token may contain only printable ASCII characters without blanks");
    return true;
}

/* Other users can read the command line of a process. */
static bool check_proxy(const char *proxy, struct failure *fail)
{
    return !proxy || !strchr(proxy, '@') ||
           failure_set(fail, EXIT_USAGE,
                       "--proxy takes no user and password: set https_proxy in the environment instead");
}

bool client_open(const char *url, const char *token, int64_t timeout_ms, const struct http_connect *connect,
                 struct client **ret, struct failure *fail)
{
    bool direct = false;
    if (!check_url(url, &direct, fail) || !check_token(token, fail) || !check_proxy(connect->proxy, fail))
        return false;
    struct client *client = calloc(1, sizeof *client);
    if (client) {
        client->base = strdup(url);
        client->token = strdup(token);
        client->connect = *connect;
        client->connect.direct = direct;
        client->deadline_ms = timeout_ms > 0 ? clock_boot_ms() + timeout_ms : 0;
    }
    if (!client || !client->base || !client->token) {
        client_free(client);
        return failure_set(fail, EXIT_USAGE, "out of memory");
    }
    for (size_t len = strlen(client->base); len > 0 && client->base[len - 1] == '/'; len--)
        client->base[len - 1] = '\0';
    *ret = client;
    return true;
}

void client_set_language(struct client *client, enum reason_language language)
{
    client->language = language;
}

void client_set_by(struct client *client, const char *by)
{
    client->by = by;
}

const char *client_root(const struct client *client)
{
    return client->base;
}

void client_free(struct client *client)
{
    if (!client)
        return;
    free(client->base);
    if (client->token)
        explicit_bzero(client->token, strlen(client->token));
    free(client->token);
    free(client->match);
    free(client);
}

static bool path_append(struct client_path *path, const char *before, const char *value, struct failure *fail)
{
    size_t room = sizeof path->text - path->len;
    size_t front = strlen(before);
    if (front >= room || !slice_percent_encode(slice_of(value), path->text + path->len + front, room - front))
        return failure_set(fail, EXIT_USAGE, "the arguments are too long");
    memcpy(path->text + path->len, before, front);
    path->len += strlen(path->text + path->len);
    return true;
}

bool client_path_add(struct client_path *path, const char *part, struct failure *fail)
{
    if (!part[0])
        return failure_set(fail, EXIT_USAGE, "an argument is empty: it names nothing");
    return path_append(path, "/", part, fail);
}

bool client_path_query(struct client_path *path, const char *name, const char *value, struct failure *fail)
{
    char before[64];
    snprintf(before, sizeof before, "%c%s=", strchr(path->text, '?') ? '&' : '?', name);
    return path_append(path, before, value, fail);
}

/* All wrong lines of a list, as far as there is room. False: the answer is about one line, or none. */
static bool list_lines(const json_t *problem, char *out, size_t size)
{
    const json_t *lines = json_object_get(problem, "lines"), *line;
    size_t i, count = json_array_size(lines),
              all = (size_t)json_integer_value(json_object_get(problem, "wrong_lines"));
    if (count < 2)
        return false;
    size_t used = (size_t)snprintf(out, size, "%zu lines are wrong, so none was taken", all);
    json_array_foreach (lines, i, line) {
        const char *detail = json_string_value(json_object_get(line, "detail"));
        if (used + strlen(detail ? detail : "") + 100 > size)
            break;
        used += (size_t)snprintf(out + used, size - used, "; line %lld: %s",
                                 (long long)json_integer_value(json_object_get(line, "line")),
                                 detail ? detail : "");
    }
    if (i < all)
        snprintf(out + used, size - used, "; and %zu more", all - i);
    return true;
}

/* Fills *fail from an answer that is not 2xx. */
static bool refuse(const struct client *client, const struct http_answer *answer, struct failure *fail)
{
    json_t *problem = answer->body ? json_loadb(answer->body, answer->size, 0, NULL) : NULL;
    const char *code = json_string_value(json_object_get(problem, "code"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));
    if (code && detail) {
        char text[sizeof fail->text], lines[sizeof fail->text];
        if (list_lines(problem, lines, sizeof lines))
            detail = lines;
        refusal_translate(detail, text, sizeof text);
        failure_set(fail, EXIT_REFUSED, "%s%s", text, refusal_hint(code));
        snprintf(fail->code, sizeof fail->code, "%s", code);
    } else {
        failure_set(fail, EXIT_UNREACHABLE,
                    "%s answered %ld without a reason; is it the admin API of dfotad?", client->base,
                    answer->status);
    }
    json_decref(problem);
    return false;
}

static bool understand(const struct client *client, const struct client_call *call,
                       struct http_answer *answer, struct client_answer *ret, struct failure *fail)
{
    if (answer->status < 200 || answer->status > 299)
        return refuse(client, answer, fail);
    struct client_answer out = {.status = answer->status};
    if (!call->sink && answer->status != 204) {
        out.json = answer->body ? json_loadb(answer->body, answer->size, JSON_REJECT_DUPLICATES, NULL) : NULL;
        if (!json_is_object(out.json)) {
            json_decref(out.json);
            return failure_set(fail, EXIT_UNREACHABLE,
                               "the answer of %s is not understood; is it the admin API of dfotad?",
                               client->base);
        }
    }
    if (client->language != REASON_ENGLISH)
        reason_translate(out.json, client->language);
    /* Only the path of the next page is used: the token must not go to another server. */
    const char *next = answer->next ? strstr(answer->next, API "/") : NULL;
    out.next = next ? strdup(next + strlen(API)) : NULL;
    out.etag = answer->etag;
    answer->etag = NULL;
    *ret = out;
    return true;
}

bool client_is_late(const struct client *client)
{
    return client->deadline_ms > 0 && clock_boot_ms() >= client->deadline_ms;
}

static bool has_by(const char *path)
{
    return strstr(path, "?by=") || strstr(path, "&by=");
}

/* A call that changes something carries the name of --by or DFOTA_BY, once. */
static bool format_url(const struct client *client, const struct client_call *call, char **ret,
                       struct failure *fail)
{
    char by[3 * BY_MAX + 1];
    const char *name = strcmp(call->method, "GET") != 0 && !has_by(call->path) ? client->by : NULL;
    if (name && (strlen(name) > BY_MAX || !slice_is_clean_utf8(slice_of(name))))
        return failure_set(fail, EXIT_USAGE,
                           "--by and DFOTA_BY take at most %d bytes of UTF-8 without control characters",
                           BY_MAX);
    if (!name || !name[0] || !slice_percent_encode(slice_of(name), by, sizeof by))
        name = NULL;
    int len = !name ? asprintf(ret, "%s" API "%s", client->base, call->path)
                    : asprintf(ret, "%s" API "%s%sby=%s", client->base, call->path,
                               strchr(call->path, '?') ? "&" : "?", by);
    if (len >= 0)
        return true;
    *ret = NULL;
    return failure_set(fail, EXIT_USAGE, "out of memory");
}

/* Nothing answers: says which address that is. */
static bool note_address(const struct client *client, struct failure *fail)
{
    size_t used = strlen(fail->text);
    if (strncmp(fail->text, "no answer", 9) == 0)
        snprintf(fail->text + used, sizeof fail->text - used,
                 ". Is %.300s right (--url), and does dfotad run?", client->base);
    return false;
}

static bool prepare(const struct client *client, const struct client_call *call, char **body,
                    struct digest_file *file, struct failure *fail)
{
    if (client_is_late(client))
        return failure_set(fail, EXIT_UNREACHABLE, "the time of --timeout has passed");
    if (call->json && !(*body = json_dumps(call->json, JSON_COMPACT)))
        return failure_set(fail, EXIT_USAGE, "an argument is not valid UTF-8");
    return !call->file || digest_open(call->file, file, fail);
}

bool client_send(struct client *client, const struct client_call *call, struct client_answer *ret,
                 struct failure *fail)
{
    _cleanup_(cleanup_free) char *url = NULL;
    _cleanup_(cleanup_free) char *body = NULL;
    _cleanup_(cleanup_answer) struct http_answer answer = {0};
    _cleanup_(cleanup_digest) struct digest_file file = {0};
    if (!prepare(client, call, &body, &file, fail) || !format_url(client, call, &url, fail))
        return false;
    char key[RETRY_KEY_SIZE] = "";
    if (retry_takes_key(call->method, call->path))
        retry_make_key(key);
    struct http_request request = {
        .method = call->method,
        .url = url,
        .token = client->token,
        .connect = client->connect,
        .type = call->file ? call->file_type
                : body     ? "application/json"
                           : NULL,
        .key = key[0] ? key : NULL,
        .match = strcmp(call->method, "GET") != 0 ? client->match : NULL,
        .body = body,
        .body_size = body ? strlen(body) : 0,
        .file = file.file,
        .file_size = file.size,
        .digest = call->file ? file.digest : NULL,
        .sink = call->sink,
        .sink_hash = call->sink_hash,
        .resume_at = call->resume_at,
        .etag = call->etag,
        .label = call->label,
        .timeout_ms = client->deadline_ms > 0 ? client->deadline_ms - clock_boot_ms() : 0,
    };
    if (client->deadline_ms > 0 && request.timeout_ms < 1)
        request.timeout_ms = 1;
    if (!retry_send(client->deadline_ms, &request, &answer, fail))
        return fail->status == EXIT_UNREACHABLE ? note_address(client, fail) : false;
    return understand(client, call, &answer, ret, fail);
}

void client_answer_clear(struct client_answer *answer)
{
    json_decref(answer->json);
    free(answer->next);
    free(answer->etag);
    *answer = (struct client_answer){0};
}

bool client_change(struct client *client, const char *method, const char *path, const json_t *body,
                   struct client_answer *ret, struct failure *fail)
{
    return client_send(client, &(struct client_call){.method = method, .path = path, .json = body}, ret,
                       fail);
}

bool client_get(struct client *client, const char *path, json_t **ret, struct failure *fail)
{
    struct client_answer answer = {0};
    if (!client_change(client, "GET", path, NULL, &answer, fail))
        return false;
    *ret = json_incref(answer.json);
    client_answer_clear(&answer);
    if (!*ret)
        return failure_set(fail, EXIT_UNREACHABLE, "the server sent an empty answer");
    return true;
}

bool client_get_resource(struct client *client, const char *path, json_t **ret, struct failure *fail)
{
    struct client_answer answer = {0};
    if (!client_change(client, "GET", path, NULL, &answer, fail))
        return false;
    *ret = json_incref(answer.json);
    free(client->match);
    client->match = answer.etag;
    answer.etag = NULL;
    client_answer_clear(&answer);
    return *ret || failure_set(fail, EXIT_UNREACHABLE, "the server sent an empty answer");
}
