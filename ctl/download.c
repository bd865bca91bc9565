/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/download.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/cleanup.h"
#include "base/sha256.h"
#include "base/slice.h"

#define TRIES 10

static void cleanup_hash(struct sha256_state **state)
{
    sha256_free(*state);
}

/* Opens a new file in the folder of `out`; *ret_name is its name, owned by the caller. */
static FILE *open_beside(const char *out, char **ret_name, struct failure *fail)
{
    struct stat info;
    if (stat(out, &info) == 0 && !S_ISREG(info.st_mode)) {
        failure_set(fail, EXIT_USAGE, "cannot write %s: this is not a regular file; name a file", out);
        return NULL;
    }
    _cleanup_(cleanup_free) char *name = NULL;
    if (asprintf(&name, "%s.XXXXXX", out) < 0)
        name = NULL;
    int fd = name ? mkostemp(name, O_CLOEXEC) : -1;
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        failure_set(fail, EXIT_USAGE, "cannot write %s: %s", out, strerror(errno));
        return NULL;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask); /* the usual mode of a new file; mkostemp makes it private */
    *ret_name = name;
    name = NULL;
    return file;
}

static bool check(struct sha256_state *state, int64_t size, const json_t *about, struct failure *fail)
{
    struct sha256 got, said;
    sha256_end(state, &got);
    if (!about)
        return true;
    json_int_t expected = json_integer_value(json_object_get(about, "size"));
    const char *hex = json_string_value(json_object_get(about, "sha256"));
    if (!hex || !sha256_from_hex(slice_of(hex), &said))
        return failure_set(fail, EXIT_UNREACHABLE, "the server does not tell the SHA-256");
    if (size != expected)
        return failure_set(fail, EXIT_UNREACHABLE,
                           "received %" PRId64 " bytes, expected %" JSON_INTEGER_FORMAT, size, expected);
    if (!sha256_equal(&got, &said))
        return failure_set(fail, EXIT_UNREACHABLE,
                           "the received bytes do not have the SHA-256 that the server tells");
    return true;
}

/* One try. A later one continues behind the bytes that are in the file. */
static bool receive(struct client *client, const struct client_call *call, struct failure *fail)
{
    struct client_answer answer = {0};
    if (!client_send(client, call, &answer, fail))
        return false;
    client_answer_clear(&answer);
    return true;
}

/* A transfer that breaks goes on where it was, as long as each try brings bytes. */
static bool receive_all(struct client *client, struct client_call *call, const json_t *about,
                        struct failure *fail)
{
    char etag[SHA256_HEX_SIZE + 2];
    const char *hex = json_string_value(json_object_get(about, "sha256"));
    for (int left = TRIES; !receive(client, call, fail); left--) {
        int64_t had = call->resume_at;
        call->resume_at = ftello(call->sink);
        if (left <= 1 || fail->status != EXIT_UNREACHABLE || call->resume_at <= had || !hex ||
            client_is_late(client))
            return false;
        snprintf(etag, sizeof etag, "\"%.64s\"", hex);
        call->etag = etag;
    }
    return true;
}

static bool fetch(struct client *client, const char *path, FILE *file, const json_t *about, const char *out,
                  struct failure *fail)
{
    _cleanup_(cleanup_hash) struct sha256_state *state = sha256_begin();
    struct client_call call = {.method = "GET", .path = path, .sink = file, .sink_hash = state, .label = out};
    if (!receive_all(client, &call, about, fail))
        return false;
    struct sha256_state *whole = state;
    state = NULL;
    return check(whole, (int64_t)ftello(file), about, fail);
}

bool download(struct client *client, const char *path, const json_t *about, const char *out,
              struct failure *fail)
{
    _cleanup_(cleanup_free) char *name = NULL;
    FILE *file = open_beside(out, &name, fail);
    if (!file)
        return false;
    bool ok = fetch(client, path, file, about, out, fail);
    int flush_errno = fflush(file) == 0 ? 0 : errno;
    if (fclose(file) != 0 && flush_errno == 0)
        flush_errno = errno;
    if (ok && flush_errno)
        ok = failure_set(fail, EXIT_USAGE, "cannot write %s: %s", out, strerror(flush_errno));
    if (ok && rename(name, out) != 0)
        ok = failure_set(fail, EXIT_USAGE, "cannot write %s: %s", out, strerror(errno));
    if (!ok)
        unlink(name);
    return ok;
}
