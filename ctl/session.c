/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/slice.h"
#include "ctl/progress.h"
#include "ctl/text.h"

#define URL_DEFAULT    "http://127.0.0.1:8081"
#define TOKEN_FILE_MAX 600
#define TIMEOUT_MAX_S  (30LL * 24 * 3600)

static const char *option_or_env(const struct options *options, enum option_id id, const char *env)
{
    if (options->value[id])
        return options->value[id];
    const char *value = getenv(env);
    return value && value[0] ? value : NULL;
}

/* The first line of the file, without blanks around it. */
static bool read_token(const char *path, char out[TOKEN_FILE_MAX], struct failure *fail)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file)
        return failure_set(fail, EXIT_USAGE, "cannot read %s: %s", path, strerror(errno));
    if (!fgets(out, TOKEN_FILE_MAX, file))
        return failure_set(fail, EXIT_USAGE, "no token stands in %s", path);
    size_t start = strspn(out, " \t");
    size_t len = strcspn(out + start, " \t\r\n");
    memmove(out, out + start, len);
    out[len] = '\0';
    return true;
}

static bool find_token(const struct options *options, char file[TOKEN_FILE_MAX], const char **ret,
                       struct failure *fail)
{
    if (options->value[OPTION_TOKEN] && options->value[OPTION_TOKEN_FILE])
        return failure_set(fail, EXIT_USAGE, "--token and --token-file exclude each other");
    *ret = options->value[OPTION_TOKEN];
    if (!*ret && options->value[OPTION_TOKEN_FILE]) {
        *ret = file;
        return read_token(options->value[OPTION_TOKEN_FILE], file, fail);
    }
    if (!*ret)
        *ret = option_or_env(options, OPTION_TOKEN, "DFOTA_TOKEN");
    if (!*ret)
        return failure_set(fail, EXIT_USAGE,
                           "no token: give --token-file FILE (admin.token in the server's data directory), "
                           "or set DFOTA_TOKEN");
    return true;
}

bool session_open(const struct options *options, char **args, struct session *ret, struct failure *fail)
{
    char file[TOKEN_FILE_MAX];
    const char *token = NULL, *form = options->value[OPTION_OUTPUT];
    const char *url = option_or_env(options, OPTION_URL, "DFOTA_URL");
    long long timeout_s = 0;
    struct session session = {.options = options, .args = args};
    while (args[session.arg_count])
        session.arg_count++;
    if (form && strcmp(form, "json") != 0 && strcmp(form, "table") != 0)
        return failure_set(fail, EXIT_USAGE, "-o takes table or json, not %s", form);
    session.json = form && strcmp(form, "json") == 0;
    if (options->value[OPTION_TIMEOUT] &&
        !session_number(&session, OPTION_TIMEOUT, 1, TIMEOUT_MAX_S, &timeout_s, fail))
        return false;
    if (!find_token(options, file, &token, fail))
        return false;
    bool ok = client_open(url ? url : URL_DEFAULT, token, timeout_s * 1000, &session.client, fail);
    explicit_bzero(file, sizeof file);
    if (ok)
        *ret = session;
    return ok;
}

void session_close(struct session *session)
{
    client_free(session->client);
    free(session->product);
}

/* The keys of a list of products, as far as they fit. */
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
        failure_set(fail, EXIT_USAGE, "there are several products: choose one with --product (%s)", keys);
    } else if (json_is_array(items) && json_array_size(items) == 0) {
        failure_set(fail, EXIT_USAGE, "there is no product yet: dfotactl product add NAME");
    } else if (!key || !key[0]) {
        failure_set(fail, EXIT_UNREACHABLE, "the server's list of products is not understood");
    } else {
        session->product = strdup(key);
        ok = session->product || failure_set(fail, EXIT_USAGE, "out of memory");
    }
    json_decref(answer);
    return ok;
}

bool session_product(struct session *session, const char **ret, struct failure *fail)
{
    const char *given = option_or_env(session->options, OPTION_PRODUCT, "DFOTA_PRODUCT");
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
        failure_set(fail, EXIT_USAGE, "the product has no firmware yet: dfotactl image upload FILE");
    else
        failure_set(fail, EXIT_USAGE, "there are several firmwares: choose one with --firmware");
    json_decref(answer);
    return ok && (*ret || failure_set(fail, EXIT_USAGE, "out of memory"));
}

bool session_path(struct session *session, struct client_path *ret, struct failure *fail, ...)
{
    struct client_path path = {0}, behind = {0};
    const char *product, *part;
    va_list args;
    bool ok = true;
    /* First what was typed: a wrong argument is told without asking the server for its products. */
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
        return failure_set(fail, EXIT_UNREACHABLE, "the server's answer is no list");
    if (session->json)
        session_print_json(answer);
    else if (session->options->value[OPTION_PRINT_CSV])
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

bool session_fetch_pages(struct session *session, const char *first, json_t **ret, struct failure *fail)
{
    json_t *items = json_array();
    _cleanup_(cleanup_free) char *path = strdup(first);
    json_t *first_answer = NULL;
    bool ok = path != NULL || failure_set(fail, EXIT_UNREACHABLE, "out of memory");
    while (ok && path) {
        struct client_answer answer = {0};
        struct client_call call = {.method = "GET", .path = path};
        ok = client_send(session->client, &call, &answer, fail);
        const json_t *page = json_object_get(answer.json, "items");
        if (ok && json_array_extend(items, (json_t *)page) != 0)
            ok = failure_set(fail, EXIT_UNREACHABLE, "the server's answer is no list");
        if (ok && answer.next && (json_array_size(page) == 0 || strcmp(answer.next, path) == 0))
            ok = failure_set(fail, EXIT_UNREACHABLE, "the server's list has no end");
        if (ok && !first_answer)
            first_answer = json_copy(answer.json);
        free(path);
        path = answer.next ? strdup(answer.next) : NULL;
        client_answer_clear(&answer);
    }
    if (ok)
        json_object_set(first_answer, "items", items);
    if (ok)
        *ret = first_answer;
    else
        json_decref(first_answer);
    json_decref(items);
    return ok;
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
    fflush(stdout); /* what was printed before stands before it */
    fputs("dfotactl: ", stderr);
    text_put(stderr, text);
    putc('\n', stderr);
}

bool session_number(const struct session *session, enum option_id id, long long min, long long max,
                    long long *ret, struct failure *fail)
{
    const char *text = session->options->value[id];
    uint64_t value = 0;
    if (!slice_u64(slice_of(text), &value) || value > (uint64_t)max || (long long)value < min)
        return failure_set(fail, EXIT_USAGE, "%s takes a whole number from %lld to %lld",
                           option_name(OPTION_BIT(id)), min, max);
    *ret = (long long)value;
    return true;
}

bool session_check_json(const json_t *json, struct failure *fail)
{
    return json || failure_set(fail, EXIT_USAGE, "an argument is no UTF-8");
}
