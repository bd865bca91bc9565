/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/progress.h"
#include "ctl/reason.h"
#include "base/text.h"

#define URL_DEFAULT    "http://127.0.0.1:8081"
#define TOKEN_FILE_MAX 600

/* The value of an option, else of the environment variable; NULL: neither is set. */
static const char *value_or_env(const char *value, const char *env)
{
    if (value)
        return value;
    value = getenv(env);
    return value && value[0] ? value : NULL;
}

/* Reads the first line, without blanks at its ends. */
static bool read_token(const char *path, char out[TOKEN_FILE_MAX], struct failure *fail)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file)
        return failure_set(fail, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno));
    if (!fgets(out, TOKEN_FILE_MAX, file))
        return failure_set(fail, EXIT_USAGE, "%s is empty: a token is expected in the first line", path);
    size_t start = strspn(out, " \t");
    size_t len = strcspn(out + start, " \t\r\n");
    memmove(out, out + start, len);
    out[len] = '\0';
    return true;
}

static bool find_token(const struct ctl_options *options, char file[TOKEN_FILE_MAX], const char **ret,
                       struct failure *fail)
{
    if (options->token && options->token_file)
        return failure_set(fail, EXIT_USAGE, "--token and --token-file cannot be used together");
    *ret = options->token;
    if (!*ret && options->token_file) {
        *ret = file;
        return read_token(options->token_file, file, fail);
    }
    if (!*ret)
        *ret = value_or_env(NULL, "DFOTA_TOKEN");
    if (!*ret)
        return failure_set(
            fail, EXIT_USAGE,
            "no token: use --token-file FILE (admin.token in the data directory of the server), "
            "or set DFOTA_TOKEN");
    return true;
}

void session_open_offline(const struct ctl_options *options, char **args, struct session *ret)
{
    *ret = (struct session){.options = options, .args = args};
    while (args[ret->arg_count])
        ret->arg_count++;
    ret->json = options->output && strcmp(options->output, "json") == 0;
}

bool session_open(const struct ctl_options *options, char **args, struct session *ret, struct failure *fail)
{
    char file[TOKEN_FILE_MAX];
    const char *token = NULL;
    const char *url = value_or_env(options->url, "DFOTA_URL");
    struct session session;
    session_open_offline(options, args, &session);
    if (options->cert_key && !options->cert)
        return failure_set(fail, EXIT_USAGE, "--cert-key is the key of --cert, which is missing");
    if (!find_token(options, file, &token, fail))
        return false;
    const struct http_connect connect = {.proxy = options->proxy,
                                         .cacert = value_or_env(options->cacert, "SSL_CERT_FILE"),
                                         .cert = options->cert,
                                         .cert_key = options->cert_key};
    bool ok = client_open(url ? url : URL_DEFAULT, token, (int64_t)options->timeout_s * 1000, &connect,
                          &session.client, fail);
    explicit_bzero(file, sizeof file);
    if (ok && !session.json && !options->print_csv) /* programs get the same text everywhere */
        client_set_language(session.client, reason_language_of_user());
    if (ok)
        *ret = session;
    return ok;
}

void session_close(struct session *session)
{
    client_free(session->client);
    free(session->product);
}

/* Lists the keys of products; cut after the last key that fits. */
static void list_keys(const json_t *items, char *out, size_t size)
{
    size_t i, used = 0;
    json_t *item;
    out[0] = '\0';
    json_array_foreach (items, i, item) {
        const char *key = json_string_value(json_object_get(item, "product_key"));
        int len = snprintf(out + used, size - used, "%s%s", i ? ", " : "", key ? key : "?");
        if (len < 0 || (size_t)len >= size - used)
            return;
        used += (size_t)len;
    }
}

static bool only_product(struct session *session, struct failure *fail)
{
    char keys[400];
    json_t *answer = NULL;
    if (!client_get(session->client, "/products", &answer, fail))
        return false;
    const json_t *items = json_object_get(answer, "items");
    const char *key = json_string_value(json_object_get(json_array_get(items, 0), "product_key"));
    bool ok = false;
    if (json_array_size(items) > 1) {
        list_keys(items, keys, sizeof keys);
        failure_set(fail, EXIT_USAGE, "there are several products; choose one with --product (%s)", keys);
    } else if (json_is_array(items) && json_array_size(items) == 0) {
        failure_set(fail, EXIT_USAGE, "there is no product yet; create one: dfotactl product add NAME");
    } else if (!key || !key[0]) {
        failure_set(fail, EXIT_UNREACHABLE, "the list of products from the server is not understood");
    } else {
        session->product = strdup(key);
        ok = session->product || failure_set(fail, EXIT_USAGE, "out of memory");
    }
    json_decref(answer);
    return ok;
}

bool session_product(struct session *session, const char **ret, struct failure *fail)
{
    const char *given = value_or_env(session->options->product, "DFOTA_PRODUCT");
    if (!session->product) {
        if (given && !given[0])
            return failure_set(fail, EXIT_USAGE, "--product is empty");
        if (given && !(session->product = strdup(given)))
            return failure_set(fail, EXIT_USAGE, "out of memory");
        if (!given && !only_product(session, fail))
            return false;
    }
    *ret = session->product;
    return true;
}

bool session_only_firmware(struct session *session, char **ret, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", NULL) ||
        !client_get(session->client, path.text, &answer, fail))
        return false;
    const json_t *items = json_object_get(answer, "items");
    const char *name = json_string_value(json_object_get(json_array_get(items, 0), "firmware"));
    bool ok = json_array_size(items) == 1 && name;
    *ret = NULL;
    if (ok)
        *ret = strdup(name);
    else if (json_array_size(items) == 0)
        failure_set(fail, EXIT_USAGE,
                    "the product has no firmware yet; upload an image: dfotactl image upload FILE");
    else
        failure_set(fail, EXIT_USAGE, "there are several firmwares; choose one with --firmware");
    json_decref(answer);
    return ok && (*ret || failure_set(fail, EXIT_USAGE, "out of memory"));
}

bool session_path(struct session *session, struct client_path *ret, struct failure *fail, ...)
{
    struct client_path path = {0}, behind = {0};
    const char *product, *part;
    va_list args;
    bool ok = true;
    /* The arguments first: a wrong one is an error before the server is asked for its products. */
    va_start(args, fail);
    while (ok && (part = va_arg(args, const char *)))
        ok = client_path_add(&behind, part, fail);
    va_end(args);
    if (!ok || !session_product(session, &product, fail) || !client_path_add(&path, "products", fail) ||
        !client_path_add(&path, product, fail))
        return false;
    if (path.len + behind.len >= sizeof path.text)
        return failure_set(fail, EXIT_USAGE, "the arguments are too long");
    memcpy(path.text + path.len, behind.text, behind.len + 1);
    path.len += behind.len;
    *ret = path;
    return true;
}

void session_print_json(const json_t *value)
{
    _cleanup_(cleanup_free) char *text = json_dumps(value, JSON_INDENT(2));
    if (text) {
        text_put_json(stdout, text);
        putchar('\n');
    }
}

void session_print_page(const struct session *session, const json_t *object, const struct table_view *view)
{
    if (session->json)
        session_print_json(object);
    else
        table_print_page(stdout, object, view);
}

bool session_print_list(const struct session *session, const json_t *answer, const struct table_view *view,
                        struct failure *fail)
{
    const json_t *items = json_object_get(answer, "items");
    if (!json_is_array(items))
        return failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a list");
    if (session->json)
        session_print_json(answer);
    else if (session->options->print_csv)
        table_print_csv(stdout, items, view);
    else
        table_print(stdout, items, view);
    return true;
}

bool session_show(struct session *session, const char *method, const char *path,
                  const struct table_view *view, struct failure *fail)
{
    struct client_answer answer = {0};
    if (!client_change(session->client, method, path, NULL, &answer, fail))
        return false;
    session_print_page(session, answer.json, view);
    client_answer_clear(&answer);
    return true;
}

/* Handles one page; *path, owned by the caller, is replaced by the path of the next page, or NULL. */
static bool walk_page(struct session *session, char **path, session_page *handle, void *cls,
                      struct failure *fail)
{
    struct client_answer answer = {0};
    struct client_call call = {.method = "GET", .path = *path, .label = "list"};
    if (!client_send(session->client, &call, &answer, fail))
        return false;
    const json_t *items = json_object_get(answer.json, "items");
    bool ok = true;
    if (!json_is_array(items))
        ok = failure_set(fail, EXIT_UNREACHABLE, "the answer of the server is not a list");
    else if (answer.next && strcmp(answer.next, *path) == 0)
        ok = failure_set(fail, EXIT_UNREACHABLE, "the list from the server does not end");
    ok = ok && handle(cls, answer.json, fail);
    free(*path);
    *path = answer.next;
    answer.next = NULL;
    client_answer_clear(&answer);
    return ok;
}

bool session_walk(struct session *session, const char *path, session_page *handle, void *cls,
                  struct failure *fail)
{
    _cleanup_(cleanup_free) char *next = strdup(path);
    bool ok = next || failure_set(fail, EXIT_USAGE, "out of memory");
    while (ok && next)
        ok = walk_page(session, &next, handle, cls, fail);
    return ok;
}

/* *cls: the first answer, which gets the items of the others; NULL at first. */
static bool add_page(void *cls, const json_t *answer, struct failure *fail)
{
    json_t **first = cls;
    if (!*first)
        *first = json_deep_copy(answer);
    else if (json_array_extend(json_object_get(*first, "items"), json_object_get(answer, "items")) != 0)
        return failure_set(fail, EXIT_USAGE, "out of memory");
    return *first || failure_set(fail, EXIT_USAGE, "out of memory");
}

bool session_fetch_pages(struct session *session, const char *path, json_t **ret, struct failure *fail)
{
    json_t *first = NULL;
    if (!session_walk(session, path, add_page, &first, fail)) {
        json_decref(first);
        return false;
    }
    *ret = first;
    return true;
}

bool session_list(struct session *session, const char *path, const struct table_view *view,
                  struct failure *fail)
{
    json_t *answer = NULL;
    if (!client_get(session->client, path, &answer, fail))
        return false;
    bool ok = session_print_list(session, answer, view, fail);
    json_decref(answer);
    return ok;
}

void session_note(const char *format, ...)
{
    char text[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    progress_end();
    fflush(stdout); /* standard output and standard error stay in order */
    fputs("dfotactl: ", stderr);
    text_put(stderr, text);
    putc('\n', stderr);
}

bool session_check_json(const json_t *json, struct failure *fail)
{
    return json || failure_set(fail, EXIT_USAGE, "an argument is not valid UTF-8");
}
