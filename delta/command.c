#include "delta/command.h"

#include <stdio.h>
#include "base/cleanup.h"
#include "delta/brief.h"
#include "delta/file.h"
#include "delta/inspect.h"

static bool expect(struct bytes bytes, const char *name, const struct sha256 *expected, struct error *err)
{
    if (!expected)
        return true;
    struct sha256 hash;
    sha256_of(bytes.ptr, bytes.len, &hash);
    if (sha256_equal(&hash, expected))
        return true;
    char is[SHA256_HEX_SIZE], should[SHA256_HEX_SIZE];
    sha256_hex(&hash, is);
    sha256_hex(expected, should);
    return error_set(err, ERROR_INVALID, "%s has SHA-256 %s, expected %s", name, is, should);
}

/* Loads a file and holds the very bytes that will be used against the hash. */
static bool load(const char *path, size_t max_bytes, const struct sha256 *expected, struct buffer *ret,
                 struct error *err)
{
    return file_load(path, max_bytes, ret, err) && expect(buffer_bytes(ret), path, expected, err);
}

static bool report(struct bytes result, struct error *err)
{
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of(result.ptr, result.len, &hash);
    sha256_hex(&hash, hex);
    if (printf("sha256=%s size=%zu\n", hex, result.len) < 0 || fflush(stdout) != 0)
        return error_set(err, ERROR_INTERNAL, "cannot write to standard output");
    return true;
}

static void tell(const struct engine_note *note)
{
    if (note->text[0])
        fprintf(stderr, "dfota: note: %s\n", note->text);
}

bool command_diff(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer old = {0};
    _cleanup_(buffer_free) struct buffer new = {0};
    _cleanup_(buffer_free) struct buffer package = {0};
    struct engine_note note = {""};
    if (options->header_said && !options->format->takes_header)
        return error_set(err, ERROR_BAD_REQUEST, "an option was given that means nothing to format %s",
                         options->format->name);
    if (!load(file[0], options->max_bytes, options->expect_old, &old, err) ||
        !load(file[1], options->max_bytes, options->expect_new, &new, err) ||
        !engine_make(options->format, buffer_bytes(&old), buffer_bytes(&new), options->making, &package,
                     &note, err) ||
        !file_store(file[2], buffer_bytes(&package), err))
        return false;
    tell(&note);
    return report(buffer_bytes(&package), err);
}

/* OLD and PATCH to the new image in memory. */
static bool apply(const struct command_options *options, char **file, struct buffer *package,
                  struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer old = {0};
    return load(file[0], COMMAND_MAX_INPUT, options->expect_old, &old, err) &&
           load(file[1], COMMAND_MAX_INPUT, NULL, package, err) &&
           engine_apply(buffer_bytes(&old), buffer_bytes(package), options->max_bytes, ret, err);
}

bool command_patch(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer package = {0};
    _cleanup_(buffer_free) struct buffer new = {0};
    return apply(options, file, &package, &new, err) &&
           expect(buffer_bytes(&new), "the new image", options->expect_new, err) &&
           file_store(file[2], buffer_bytes(&new), err) && report(buffer_bytes(&new), err);
}

bool command_verify(const struct command_options *options, char **file, size_t count, struct error *err)
{
    if (count < 3 && !options->expect_new)
        return error_set(err, ERROR_BAD_REQUEST, "verify needs NEW or --expect-new to compare with");
    _cleanup_(buffer_free) struct buffer package = {0};
    _cleanup_(buffer_free) struct buffer made = {0};
    _cleanup_(buffer_free) struct buffer wanted = {0};
    struct engine_note note;
    if (count > 2 && !load(file[2], options->max_bytes, options->expect_new, &wanted, err))
        return false;
    if (!apply(options, file, &package, &made, err))
        return false;
    if (count < 3)
        return expect(buffer_bytes(&made), "the new image", options->expect_new, err) &&
               report(buffer_bytes(&made), err);
    if (!engine_same(buffer_bytes(&package), buffer_bytes(&made), buffer_bytes(&wanted), &note))
        return error_set(err, ERROR_INVALID, "the package does not give %s", file[2]);
    tell(&note);
    return report(buffer_bytes(&wanted), err);
}

bool command_inspect(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer content = {0};
    if (!load(file[0], options->max_bytes, NULL, &content, err))
        return false;
    return options->brief ? brief_file(buffer_bytes(&content), stdout, err)
                          : inspect_file(buffer_bytes(&content), stdout, err);
}
