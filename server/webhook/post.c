/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/post.h"

#include <config.h>
#include <inttypes.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/sha256.h"
#include "server/webhook/body_template.h"

#define ANSWER_KEPT 4096
#define ANSWER_MAX  (64u << 10) /* bytes; what comes behind is not read */

struct post {
    CURL *curl;
    struct curl_slist *headers;
    char *body;
    bool has_template; /* the receiver is taken for a chat robot */
    char detail[CURL_ERROR_SIZE];
    char answer[ANSWER_KEPT + 1];
    size_t kept, taken;
};

bool post_check_url(const char *url, struct error *err)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    bool ok = parts && slice_is_clean_utf8(slice_of(url)) && !strchr(url, ' ') &&
              curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
              curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
              (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0) &&
              curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK && host[0] &&
              curl_url_get(parts, CURLUPART_USER, &user, 0) == CURLUE_NO_USER;
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return ok || error_set(err, ERROR_INVALID,
                           "url is http://HOST… or https://HOST…, without a user name or blanks");
}

void post_host(const char *url, char out[WEBHOOK_URL_SIZE])
{
    const char *host = strstr(url, "://");
    size_t len = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;
    snprintf(out, WEBHOOK_URL_SIZE, "%.*s", (int)len, url);
}

/* HMAC-SHA256 of "TIMESTAMP.BODY" in hex. */
static bool sign(const char *secret, const char *timestamp, const char *body, char out[SHA256_HEX_SIZE])
{
    struct sha256 mac;
    _cleanup_(cleanup_free) char *text = NULL;
    int len = asprintf(&text, "%s.%s", timestamp, body);
    if (len < 0 || !HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, (size_t)len,
                         mac.byte, NULL))
        return false;
    sha256_hex(&mac, out);
    return true;
}

static bool add_header(struct post *post, const char *name, const char *value)
{
    char line[160];
    if ((size_t)snprintf(line, sizeof line, "%s: %s", name, value) >= sizeof line)
        return false;
    struct curl_slist *longer = curl_slist_append(post->headers, line);
    if (longer)
        post->headers = longer;
    return longer;
}

static bool add_headers(struct post *post, const struct webhook *webhook, const struct outbox_row *row)
{
    char timestamp[24], hex[SHA256_HEX_SIZE], signature[SHA256_HEX_SIZE + 8];
    snprintf(timestamp, sizeof timestamp, "%" PRId64, clock_utc_ms());
    if (webhook->secret[0] && !sign(webhook->secret, timestamp, post->body, hex))
        return false;
    snprintf(signature, sizeof signature, "sha256=%s", hex);
    struct curl_slist *no_expect = curl_slist_append(NULL, "Expect:");
    post->headers = no_expect;
    return no_expect && add_header(post, "Content-Type", "application/json") &&
           add_header(post, "X-Dfota-Event", row->kind) && add_header(post, "X-Dfota-Id", row->event_id) &&
           add_header(post, "X-Dfota-Timestamp", timestamp) &&
           (!webhook->secret[0] || add_header(post, "X-Dfota-Signature", signature));
}

static size_t take_answer(char *bytes, size_t one, size_t size, void *cls)
{
    struct post *post = cls;
    size_t room = ANSWER_KEPT - post->kept, part = size < room ? size : room;
    (void)one;
    memcpy(post->answer + post->kept, bytes, part);
    post->kept += part;
    post->taken += size;
    return post->taken > ANSWER_MAX ? 0 : size;
}

static void set_options(struct post *post, const char *url)
{
    CURL *curl = post->curl;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, post->headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(post->body));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post->body);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "dfotad/" PACKAGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, POST_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, POST_WHOLE_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L); /* no wait for a name that is still being looked up */
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, post->detail);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, post);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, post);
}

static char *make_body(const struct webhook *webhook, const struct outbox_row *row)
{
    if (!webhook->template[0])
        return strdup(row->facts);
    json_t *facts = json_loads(row->facts, 0, NULL);
    char *body = body_template_fill(webhook->template, facts);
    json_decref(facts);
    return body;
}

bool post_make(const struct webhook *webhook, const struct outbox_row *row, struct post **ret,
               struct error *err)
{
    struct post *post = calloc(1, sizeof *post);
    if (!post)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    post->has_template = webhook->template[0];
    post->body = make_body(webhook, row);
    post->curl = curl_easy_init();
    if (!post->body || !post->curl || !add_headers(post, webhook, row)) {
        post_free(post);
        return error_set(err, ERROR_INTERNAL, "out of memory for a request to a webhook");
    }
    set_options(post, webhook->url);
    *ret = post;
    return true;
}

CURL *post_handle(const struct post *post)
{
    return post->curl;
}

/* What a receiver says may be anything. The text may have been cut inside a character. */
static void clean(char *text)
{
    size_t len = strlen(text);
    for (char *at = text; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7F')
            *at = ' ';
    for (size_t cut = 0; cut <= 3 && cut <= len; cut++)
        if (slice_is_clean_utf8((struct slice){text, len - cut})) {
            text[len - cut] = '\0';
            return;
        }
    for (; *text; text++)
        if (*text > '~' || *text < ' ')
            *text = '?';
}

/* DingTalk, WeCom and Feishu answer 200 with a number other than 0 when they did not take a message. */
static bool robot_refuses(const struct post *post, struct post_result *ret)
{
    static const char *const names[][2] = {{"errcode", "errmsg"}, {"code", "msg"}};
    json_t *answer = json_loadb(post->answer, post->kept, 0, NULL);
    bool refuses = false;
    for (size_t i = 0; i < sizeof names / sizeof *names && !refuses; i++) {
        const json_t *code = json_object_get(answer, names[i][0]);
        const char *text = json_string_value(json_object_get(answer, names[i][1]));
        refuses = json_is_integer(code) && json_integer_value(code) != 0;
        if (refuses)
            snprintf(ret->error, sizeof ret->error, "the robot answered %s %" JSON_INTEGER_FORMAT ": %.120s",
                     names[i][0], json_integer_value(code), text ? text : "");
    }
    json_decref(answer);
    return refuses;
}

static void read_status(const struct post *post, struct post_result *ret)
{
    if (ret->status / 100 == 3)
        snprintf(ret->error, sizeof ret->error,
                 "the receiver answered %ld: a redirect is not followed, set the URL it leads to",
                 ret->status);
    else if (ret->status / 100 != 2)
        snprintf(ret->error, sizeof ret->error, "the receiver answered %ld%s%.120s", ret->status,
                 post->answer[0] ? ": " : "", post->answer);
    else
        ret->delivered = !post->has_template || !robot_refuses(post, ret);
}

void post_read(const struct post *post, CURLcode code, struct post_result *ret)
{
    *ret = (struct post_result){.delivered = false};
    curl_easy_getinfo(post->curl, CURLINFO_RESPONSE_CODE, &ret->status);
    bool is_cut =
        code == CURLE_WRITE_ERROR && post->taken > ANSWER_MAX; /* its status is known all the same */
    if (code == CURLE_OK || is_cut)
        read_status(post, ret);
    else
        snprintf(ret->error, sizeof ret->error, "%.200s",
                 post->detail[0] ? post->detail : curl_easy_strerror(code));
    clean(ret->error);
}

void post_free(struct post *post)
{
    if (!post)
        return;
    curl_easy_cleanup(post->curl);
    curl_slist_free_all(post->headers);
    free(post->body);
    free(post);
}
