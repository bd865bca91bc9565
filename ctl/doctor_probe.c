/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a module would get from the public URL. tls.md has the rules for a proxy. */
#include <curl/curl.h>
#include <stdbool.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/doctor.h"

#define TIMEOUT_MS 10000L
#define BODY_SIZE  400
#define ADVICE     "correct the proxy by the rules in tls.md, section A proxy in front"

struct probe {
    long status;
    bool chunked, has_length, close, compressed, no_transform;
    char body[BODY_SIZE]; /* the beginning */
    size_t size;
};

static bool has_word(const char *value, size_t size, const char *word)
{
    for (size_t i = 0; i + strlen(word) <= size; i++)
        if (strncasecmp(value + i, word, strlen(word)) == 0)
            return true;
    return false;
}

/* The value of the header with this name, "" included; NULL: another header. */
static const char *value_of(const char *line, size_t size, const char *name)
{
    size_t len = strlen(name);
    return size > len && strncasecmp(line, name, len) == 0 && line[len] == ':' ? line + len + 1 : NULL;
}

static size_t on_header(char *line, size_t one, size_t size, void *cls)
{
    struct probe *probe = cls;
    const char *value;
    (void)one;
    if (value_of(line, size, "Transfer-Encoding"))
        probe->chunked = true;
    if (value_of(line, size, "Content-Length"))
        probe->has_length = true;
    if (value_of(line, size, "Content-Encoding"))
        probe->compressed = true;
    if ((value = value_of(line, size, "Connection")))
        probe->close = has_word(value, size - (size_t)(value - line), "close");
    if ((value = value_of(line, size, "Cache-Control")))
        probe->no_transform = has_word(value, size - (size_t)(value - line), "no-transform");
    return size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *cls)
{
    struct probe *probe = cls;
    size_t room = sizeof probe->body - 1 - probe->size, take = size < room ? size : room;
    (void)one;
    memcpy(probe->body + probe->size, bytes, take);
    probe->size += take;
    return size;
}

static CURLcode ask(const char *url, struct probe *probe, char detail[CURL_ERROR_SIZE])
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers =
        curl_slist_append(NULL, "Accept-Encoding: gzip, deflate, br"); /* a trap for proxies */
    CURLcode result = CURLE_OUT_OF_MEMORY;
    if (curl && headers) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* a module has none */
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, TIMEOUT_MS);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
        curl_easy_setopt(curl, CURLOPT_HEADERDATA, probe);
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, probe);
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
        result = curl_easy_perform(curl);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &probe->status);
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return result;
}

/* One row for each rule that the answer breaks; the number of them. */
static unsigned judge(json_t *rows, const struct probe *probe)
{
    const struct {
        bool broken;
        const char *text;
    } rules[] = {
        {probe->chunked, "the answer is chunked (Transfer-Encoding): modules do not understand this"},
        {!probe->chunked && !probe->has_length, "the answer has no Content-Length"},
        {!probe->close, "the answer has no Connection: close: a module would wait for the end"},
        {probe->compressed,
         "the answer is compressed: a module would take the compressed bytes for its package"},
    };
    unsigned broken = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].broken) {
            doctor_put(rows, DOCTOR_FAULT, "proxy", ADVICE, "%s", rules[i].text);
            broken++;
        }
    if (!probe->no_transform)
        doctor_put(rows, DOCTOR_NOTE, "proxy", ADVICE,
                   "Cache-Control: no-transform is missing: a cache on the way may change the bytes");
    return broken;
}

void doctor_probe(json_t *rows, const char *url)
{
    char whole[600], detail[CURL_ERROR_SIZE] = "";
    struct probe probe = {.status = 0};
    snprintf(whole, sizeof whole, "%.500s/d/doctor/1",
             url); /* no link has this token: its answer is code 21 */
    CURLcode result = ask(whole, &probe, detail);
    if (result != CURLE_OK)
        doctor_put(
            rows, DOCTOR_FAULT, "proxy",
            "check name, port, firewall and proxy; some networks cannot reach their own public address: then ask from outside",
            "no answer from %s: %s", url, detail[0] ? detail : curl_easy_strerror(result));
    else if (probe.status >= 300 && probe.status < 400)
        doctor_put(rows, DOCTOR_FAULT, "proxy", ADVICE, "%s redirects (%ld): modules do not follow", url,
                   probe.status);
    else if (!probe.compressed && !strstr(probe.body, "\"code\""))
        doctor_put(rows, DOCTOR_FAULT, "proxy",
                   "check that public_device_url leads to device_listen of this server",
                   "something else than dfotad answers at %s (%ld)", url, probe.status);
    else if (judge(rows, &probe) == 0)
        doctor_put(rows, DOCTOR_OK, "proxy", NULL, "%s answers by the rules for modules", url);
}
