/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/slice.h"
#include "config.h"
#include "ctl/progress.h"

#define BODY_MAX        (64u << 20) /* bytes of an answer in memory; every page of the API is much smaller */
#define CONNECT_MS      15000L
#define SILENCE_SECONDS 60L
#define LINK_NEXT_MAX   4096
#define HEADER_MAX      1024

struct exchange {
    const struct http_request *request;
    CURL *curl;
    struct http_answer answer;
    int read_errno, write_errno; /* of the local file; 0: no error */
    bool too_large;
    bool changed; /* the whole file came instead of its rest */
};

static void cleanup_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static void cleanup_headers(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static size_t take_into_memory(struct exchange *exchange, const char *bytes, size_t size)
{
    struct http_answer *answer = &exchange->answer;
    exchange->too_large = size > BODY_MAX - answer->size;
    char *grown = exchange->too_large ? NULL : realloc(answer->body, answer->size + size + 1);
    if (!grown)
        return 0;
    memcpy(grown + answer->size, bytes, size);
    answer->body = grown;
    answer->size += size;
    grown[answer->size] = '\0';
    return size;
}

static size_t on_body(char *bytes, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    const struct http_request *request = exchange->request;
    long status = 0;
    (void)one;
    curl_easy_getinfo(exchange->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!request->sink || status < 200 || status > 299)
        return take_into_memory(exchange, bytes, size);
    exchange->changed = request->resume_at && status != 206;
    if (exchange->changed)
        return 0;
    if (fwrite(bytes, 1, size, request->sink) != size) {
        exchange->write_errno = errno;
        return 0;
    }
    if (request->sink_hash)
        sha256_add(request->sink_hash, bytes, size);
    return size;
}

static size_t on_read(char *out, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    (void)one;
    size_t got = fread(out, 1, size, exchange->request->file);
    if (got == 0 && ferror(exchange->request->file)) {
        exchange->read_errno = errno;
        return CURL_READFUNC_ABORT;
    }
    return got;
}

/* Link: </api/v1/…>; rel="next" */
static void take_link(struct http_answer *answer, struct slice value)
{
    const char *open = memchr(value.ptr, '<', value.len);
    const char *close = open ? memchr(open, '>', value.len - (size_t)(open - value.ptr)) : NULL;
    if (!close || close - open > LINK_NEXT_MAX)
        return;
    struct slice rest = {close, value.len - (size_t)(close - value.ptr)};
    if (!memmem(rest.ptr, rest.len, "rel=\"next\"", 10) && !memmem(rest.ptr, rest.len, "rel=next", 8))
        return;
    free(answer->next);
    answer->next = strndup(open + 1, (size_t)(close - open - 1));
}

static void take_etag(struct http_answer *answer, struct slice value)
{
    while (value.len && strchr(" \t", value.ptr[0]))
        value = (struct slice){value.ptr + 1, value.len - 1};
    while (value.len && strchr(" \t\r\n", value.ptr[value.len - 1]))
        value.len--;
    free(answer->etag);
    answer->etag = value.len && value.len < HEADER_MAX / 2 ? strndup(value.ptr, value.len) : NULL;
}

static size_t on_header(char *line, size_t one, size_t size, void *context)
{
    struct exchange *exchange = context;
    (void)one;
    if (size > 5 && strncasecmp(line, "link:", 5) == 0)
        take_link(&exchange->answer, (struct slice){line + 5, size - 5});
    if (size > 5 && strncasecmp(line, "etag:", 5) == 0)
        take_etag(&exchange->answer, (struct slice){line + 5, size - 5});
    return size;
}

static int on_progress(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
                       curl_off_t up)
{
    const struct exchange *exchange = context;
    (void)up_total; /* 0 until the body begins */
    if (exchange->request->file)
        progress_show(exchange->request->label, up, exchange->request->file_size);
    else
        progress_show(exchange->request->label, exchange->request->resume_at + down,
                      down_total ? exchange->request->resume_at + down_total : 0);
    return 0;
}

/* "Name: value". Without a value libcurl does not send its own header of this name. */
static bool add_header(struct curl_slist **list, const char *name, const char *value)
{
    char line[HEADER_MAX];
    if ((size_t)snprintf(line, sizeof line, "%s:%s%s", name, value ? " " : "", value ? value : "") >=
        sizeof line)
        return false;
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer)
        *list = longer;
    return longer != NULL;
}

static bool add_range(struct curl_slist **list, const struct http_request *request)
{
    char range[48];
    snprintf(range, sizeof range, "bytes=%" PRId64 "-", request->resume_at);
    return !request->resume_at ||
           (add_header(list, "Range", range) && add_header(list, "If-Range", request->etag));
}

static bool set_headers(struct curl_slist **list, const struct http_request *request)
{
    char authorization[HEADER_MAX];
    int len =
        snprintf(authorization, sizeof authorization, "Bearer %s", request->token ? request->token : "");
    return len > 0 && (size_t)len < sizeof authorization &&
           add_header(list, "Accept", request->sink ? "*/*" : "application/json") &&
           (!request->token || add_header(list, "Authorization", authorization)) &&
           add_header(list, "Content-Type", request->type) && add_range(list, request) &&
           (!request->key || add_header(list, "Idempotency-Key", request->key)) &&
           (!request->match || add_header(list, "If-Match", request->match)) &&
           (!request->digest || add_header(list, "Repr-Digest", request->digest)) &&
           add_header(list, "Expect", request->file ? "100-continue" : NULL);
}

static void set_body(CURL *curl, struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    if (request->file) {
        curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, exchange);
        curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 262144L);
        curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->file_size);
    } else if (request->body || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_connect(CURL *curl, const struct http_connect *connect)
{
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (connect->proxy) {
        curl_easy_setopt(curl, CURLOPT_PROXY, connect->proxy);
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "");
    } else if (connect->direct)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (connect->cacert)
        curl_easy_setopt(curl, CURLOPT_CAINFO, connect->cacert);
    if (connect->cert) {
        curl_easy_setopt(curl, CURLOPT_SSLCERT, connect->cert);
        curl_easy_setopt(curl, CURLOPT_SSLKEY, connect->cert_key ? connect->cert_key : connect->cert);
    }
}

static void set_up(CURL *curl, struct exchange *exchange)
{
    const struct http_request *request = exchange->request;
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* a firmware may be named ".." */
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "dfotactl/" PACKAGE_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, SILENCE_SECONDS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, exchange);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, exchange);
    set_connect(curl, &request->connect);
    if (request->label) {
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, exchange);
    }
    set_body(curl, exchange);
}

/* Says why there is no TLS connection. False: this is not the reason. */
static bool refuse_tls(const struct http_connect *connect, CURLcode result, const char *detail,
                       struct failure *fail)
{
    if (result == CURLE_PEER_FAILED_VERIFICATION)
        failure_set(fail, EXIT_UNREACHABLE,
                    "the certificate of the server is not accepted, and nothing was sent: %s. --cacert FILE "
                    "names the certificate that signed it",
                    detail);
    else if (result == CURLE_SSL_CACERT_BADFILE)
        failure_set(fail, EXIT_USAGE, "cannot read PEM certificates from %s (--cacert, SSL_CERT_FILE)",
                    connect->cacert ? connect->cacert : "the files of the system");
    else if (result == CURLE_SSL_CERTPROBLEM)
        failure_set(fail, EXIT_USAGE, "cannot use the client certificate (--cert, --cert-key): %s", detail);
    else if (strstr(detail, "certificate required"))
        failure_set(fail, EXIT_UNREACHABLE, "the server asks for a client certificate: --cert FILE");
    else if (result == CURLE_SSL_CONNECT_ERROR)
        failure_set(fail, EXIT_UNREACHABLE, "no TLS connection to the server: %s", detail);
    else
        return false;
    return true;
}

/* Says why there is no answer. */
static bool refuse(const struct exchange *exchange, CURLcode result, const char *detail, struct failure *fail)
{
    if (exchange->read_errno)
        return failure_set(fail, EXIT_USAGE, "cannot read the file: %s", strerror(exchange->read_errno));
    if (exchange->write_errno)
        return failure_set(fail, EXIT_USAGE, "cannot write the file: %s", strerror(exchange->write_errno));
    if (exchange->changed)
        return failure_set(fail, EXIT_UNREACHABLE,
                           "the connection broke, and the server did not continue the file: try again");
    if (exchange->too_large)
        return failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is larger than %u MB",
                           BODY_MAX >> 20);
    const char *why = detail[0] ? detail : curl_easy_strerror(result);
    if (refuse_tls(&exchange->request->connect, result, why, fail))
        return false;
    return failure_set(fail, EXIT_UNREACHABLE, "no answer from the server: %s", why);
}

bool http_send(const struct http_request *request, struct http_answer *ret, struct failure *fail)
{
    char detail[CURL_ERROR_SIZE] = "";
    _cleanup_(cleanup_headers) struct curl_slist *headers = NULL;
    _cleanup_(cleanup_curl) CURL *curl = curl_easy_init();
    struct exchange exchange = {.request = request, .curl = curl};
    if (!curl || !set_headers(&headers, request))
        return failure_set(fail, EXIT_USAGE, "out of memory");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
    set_up(curl, &exchange);
    CURLcode result = curl_easy_perform(curl);
    progress_end();
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &exchange.answer.status);
    if (result != CURLE_OK) {
        http_answer_clear(&exchange.answer);
        *ret = (struct http_answer){.broke = result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR ||
                                             result == CURLE_SEND_ERROR || result == CURLE_PARTIAL_FILE};
        return refuse(&exchange, result, detail, fail);
    }
    *ret = exchange.answer;
    return true;
}

void http_answer_clear(struct http_answer *answer)
{
    free(answer->body);
    free(answer->next);
    free(answer->etag);
    *answer = (struct http_answer){0};
}
