/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buffer.h"
#include "base/cleanup.h"

#define PATH_SIZE 1024

struct api {
    CURL *curl;
    char address[128], authorization[192];
};

bool api_open(const char *address, const char *token, struct api **ret, struct error *err)
{
    struct api *api = calloc(1, sizeof *api);
    if (!api || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(api->curl = curl_easy_init())) {
        free(api);
        return error_set(err, ERROR_INTERNAL, "libcurl cannot be started");
    }
    snprintf(api->address, sizeof api->address, "%s", address);
    snprintf(api->authorization, sizeof api->authorization, "Authorization: Bearer %s", token);
    *ret = api;
    return true;
}

void api_close(struct api **api)
{
    if (!*api)
        return;
    curl_easy_cleanup((*api)->curl);
    free(*api);
    *api = NULL;
}

static size_t take(char *bytes, size_t size, size_t count, void *cls)
{
    struct error err;
    return buffer_add(cls, (const uint8_t *)bytes, size * count, &err) ? size * count : 0;
}

/* The reason that the server gives for a refusal. */
static bool refuse(const char *method, const char *path, long status, const struct buffer *answer,
                   struct error *err)
{
    json_t *json = answer->len ? json_loadb((const char *)answer->ptr, answer->len, 0, NULL) : NULL;
    const char *detail = json_string_value(json_object_get(json, "detail"));
    error_set(err, ERROR_INVALID, "%s %s: %ld %s", method, path, status, detail ? detail : "");
    json_decref(json);
    return false;
}

static bool perform(struct api *api, const char *method, const char *path, const char *type,
                    struct bytes body, struct buffer *answer, struct error *err)
{
    char url[PATH_SIZE + 160], kind[96];
    long status = 0;
    CURL *curl = api->curl;
    snprintf(url, sizeof url, "http://%s/api/v1%s", api->address, path);
    snprintf(kind, sizeof kind, "Content-Type: %s", type ? type : "");
    struct curl_slist *headers = curl_slist_append(NULL, api->authorization);
    headers = curl_slist_append(headers, "Expect:");
    headers = curl_slist_append(headers, kind);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    if (type) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, (const char *)body.ptr);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return error_set(err, ERROR_UNAVAILABLE, "%s %s: %s", method, path, curl_easy_strerror(code));
    return status < 300 || refuse(method, path, status, answer, err);
}

bool api_call(struct api *api, const char *method, const char *path, json_t *body, json_t **ret,
              struct error *err)
{
    _cleanup_(buffer_free) struct buffer answer = {0};
    _cleanup_(cleanup_free) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    const struct bytes bytes = {(const uint8_t *)text, text ? strlen(text) : 0};
    if (!perform(api, method, path, text ? "application/json" : NULL, bytes, &answer, err))
        return false;
    if (!ret)
        return true;
    *ret = answer.len ? json_loadb((const char *)answer.ptr, answer.len, 0, NULL) : NULL;
    return *ret || !answer.len ||
           error_set(err, ERROR_UNAVAILABLE, "%s %s: the answer is not JSON", method, path);
}

bool api_put(struct api *api, const char *path, const char *type, struct bytes body, struct error *err)
{
    _cleanup_(buffer_free) struct buffer answer = {0};
    return perform(api, "PUT", path, type, body, &answer, err);
}
