/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/session.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "ctl/input.h"
#include "ctl/output.h"
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
    _cleanup_(cleanup_fclose) FILE *file = NULL;
    if (!input_open(path, &file, fail))
        return false;
    if (!fgets(out, TOKEN_FILE_MAX, file))
        return failure_set(fail, EXIT_USAGE, "%s is empty: a token is expected in the first line",
                           strcmp(path, "-") == 0 ? "standard input" : path);
    size_t start = strspn(out, " \t");
    size_t len = strcspn(out + start, " \t\r\n");
    memmove(out, out + start, len);
    out[len] = '\0';
    return true;
}

/* The first that is set: the option, the profile of --profile, the environment, another profile. */
static const char *choose(const struct profile *profile, const char *option, const char *env,
                          const char *value)
{
    const char *set = profile->named && value[0] && !option ? value : value_or_env(option, env);
    return set ? set : value[0] ? value : NULL;
}

/* The token of a profile is only for the server of the profile. */
static const char *profile_token(const struct profile *profile, const char *url)
{
    bool its_server = profile->url[0] ? strcmp(profile->url, url) == 0 : strcmp(URL_DEFAULT, url) == 0;
    return its_server && profile->token_file[0] ? profile->token_file : NULL;
}

static bool find_token(const struct ctl_options *options, const struct profile *profile, const char *url,
                       char file[TOKEN_FILE_MAX], const char **ret, struct failure *fail)
{
    const char *from_profile = profile_token(profile, url);
    if (options->token && options->token_file)
        return failure_set(fail, EXIT_USAGE, "--token and --token-file cannot be used together");
    *ret = options->token ? options->token : file;
    if (options->token)
        return true;
    if (options->token_file)
        return read_token(options->token_file, file, fail);
    if (!(profile->named && from_profile) && (*ret = value_or_env(NULL, "DFOTA_TOKEN")))
        return true;
    *ret = file;
    if (from_profile)
        return profile_check_secret(from_profile, fail) && read_token(from_profile, file, fail);
    if (profile->token_file[0])
        return failure_set(fail, EXIT_USAGE,
                           "no token for %s: the token of the profile %s is only for its own url", url,
                           profile->name);
    return failure_set(fail, EXIT_USAGE,
                       "no token: use --token-file FILE (admin.token in the data directory of the server), "
                       "or set DFOTA_TOKEN");
}

static void set_language(struct session *session)
{
    const char *language = session->profile.language;
    if (session->json || session->options->print_csv) /* programs get the same text everywhere */
        return;
    client_set_language(session->client, !language[0]                  ? reason_language_of_user()
                                         : strcmp(language, "zh") == 0 ? REASON_CHINESE
                                                                       : REASON_ENGLISH);
}

bool session_open_offline(const struct ctl_options *options, char **args, struct session *ret,
                          struct failure *fail)
{
    *ret = (struct session){.options = options, .args = args};
    while (args[ret->arg_count])
        ret->arg_count++;
    return output_begin(options, &ret->json, fail);
}

bool session_open(const struct ctl_options *options, char **args, struct session *ret, struct failure *fail)
{
    char file[TOKEN_FILE_MAX];
    const char *token = NULL;
    if (!session_open_offline(options, args, ret, fail) ||
        !profile_load(options->profile, &ret->profile, fail))
        return false;
    if (options->cert_key && !options->cert)
        return failure_set(fail, EXIT_USAGE, "--cert-key is the key of --cert, which is missing");
    if (options->print_csv && options->columns)
        ret->json = false;                         /* a command with --csv prints its own CSV */
    const struct profile *profile = &ret->profile; /* the client keeps pointers into it */
    const char *url = choose(profile, options->url, "DFOTA_URL", profile->url);
    url = url ? url : URL_DEFAULT;
    if (!find_token(options, profile, url, file, &token, fail))
        return false;
    const struct http_connect connect = {.proxy = options->proxy,
                                         .cacert =
                                             choose(profile, options->cacert, "SSL_CERT_FILE", profile->ca),
                                         .cert = options->cert,
                                         .cert_key = options->cert_key};
    bool ok = client_open(url, token, (int64_t)options->timeout_s * 1000, &connect, &ret->client, fail);
    explicit_bzero(file, sizeof file);
    if (!ok)
        return false;
    ret->by = choose(profile, options->by, "DFOTA_BY", profile->by);
    client_set_by(ret->client, ret->by);
    set_language(ret);
    return true;
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
    const char *given =
        choose(&session->profile, session->options->product, "DFOTA_PRODUCT", session->profile.product);
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
    struct failure ignored;
    if (!json_is_array(json_object_get(value, "items")) || !output_list(value, NULL, &ignored))
        output_object(value, NULL);
}

void session_print_page(const struct session *session, const json_t *object, const struct table_view *view)
{
    (void)session;
    output_object(object, view);
}

bool session_print_list(const struct session *session, const json_t *answer, const struct table_view *view,
                        struct failure *fail)
{
    const json_t *items = json_object_get(answer, "items");
    if (!session->options->print_csv || session->options->columns || !json_is_array(items))
        return output_list(answer, view, fail);
    table_print_csv(stdout, items, view);
    return true;
}

bool session_print_bulk(const struct session *session, const json_t *answer, const struct table_view *counts,
                        const struct table_view *items, struct failure *fail)
{
    const json_t *list = json_object_get(answer, "items");
    if (!json_is_array(list)) /* of an older server */
        session_print_page(session, answer, counts);
    else if (session->options->print_csv)
        return session_print_list(session, answer, items, fail);
    else if (session->json)
        session_print_json(answer);
    else {
        session_print_page(session, answer, counts);
        putchar('\n');
        table_print(stdout, list, items);
    }
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
