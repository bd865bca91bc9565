/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/command.h"

#include <stdio.h>
#include "base/cleanup.h"
#include "delta/container/bundle.h"
#include "delta/container/soc.h"
#include "delta/ec618/full.h"
#include "delta/inspect/inspect_json.h"
#include "delta/file.h"
#include "delta/inspect/inspect.h"
#include "delta/match/suffix.h"

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

/* Loads a file and compares its hash. The hash is of the same bytes that are used afterwards. */
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

/* Reads the index of the old image from the file. If the file is not that index, builds the index and
   writes the file. */
static bool load_index(const char *path, struct bytes old, struct suffix **ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer file = {0};
    struct error why;
    if (!path)
        return true;
    if (file_load(path, suffix_file_size(old.len), &file, &why) && suffix_open(old, &file, ret, &why))
        return true;
    buffer_free(&file);
    return suffix_build(old, ret, err) && file_store(path, suffix_seal(*ret), err);
}

static void free_index(struct suffix **index)
{
    suffix_free(*index);
}

/* An option that the format does not know. */
static bool refuse_option(const struct command_options *options, const char *option, struct error *err)
{
    return error_set(err, ERROR_BAD_REQUEST, "%s cannot be used with format %s", option,
                     options->engine->format->name);
}

static bool check_options(const struct command_options *options, struct error *err)
{
    const struct package_format *format = options->engine->format;
    const struct engine_options *making = options->making;
    if (making->has_load_address && format->chip == PACKAGE_CHIP_NONE)
        return refuse_option(options, "--load-address", err);
    if (making->closed_last_part && format->chip != PACKAGE_CHIP_EC618)
        return refuse_option(options, "--closed-last-part", err);
    if (making->chip && format->chip != PACKAGE_CHIP_EC7XX)
        return refuse_option(options, "--chip", err);
    if (options->part_given && format->chip != PACKAGE_CHIP_EC7XX)
        return refuse_option(options, "--part", err);
    return !options->suffix_file || format->takes_index || refuse_option(options, "--suffix-file", err);
}

bool command_diff(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer old = {0};
    _cleanup_(buffer_free) struct buffer new = {0};
    _cleanup_(buffer_free) struct buffer package = {0};
    _cleanup_(free_index) struct suffix *index = NULL;
    struct engine_options making = *options->making;
    struct engine_note note = {""};
    making.index = &index;
    if (!check_options(options, err) || !load(file[0], options->max_bytes, options->expect_old, &old, err) ||
        !load(file[1], options->max_bytes, options->expect_new, &new, err) ||
        !load_index(options->suffix_file, buffer_bytes(&old), &index, err) ||
        !engine_make(options->engine, buffer_bytes(&old), buffer_bytes(&new), &making, &package, &note,
                     err) ||
        !file_store(file[2], buffer_bytes(&package), err))
        return false;
    tell(&note);
    return report(buffer_bytes(&package), err);
}

/* Checks the size, the flash of the module and the option. Other errors are reported when the package is applied. */
static bool fits(const struct command_options *options, struct bytes old, struct bytes package,
                 struct error *err)
{
    return engine_fits(package, old, options->making->chip, err) ||
           (err->code == ERROR_TOO_LARGE ? options->any_size
                                         : err->code != ERROR_BAD_REQUEST && err->code != ERROR_INVALID);
}

/* Applies PATCH to OLD, in memory. */
static bool apply(const struct command_options *options, char **file, struct buffer *package,
                  struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer old = {0};
    return load(file[0], COMMAND_MAX_INPUT, options->expect_old, &old, err) &&
           load(file[1], COMMAND_MAX_INPUT, NULL, package, err) &&
           fits(options, buffer_bytes(&old), buffer_bytes(package), err) &&
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

bool command_full(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer image = {0};
    _cleanup_(buffer_free) struct buffer package = {0};
    return load(file[0], options->max_bytes, options->expect_new, &image, err) &&
           ec618_full_make(buffer_bytes(&image), &package, err) &&
           file_store(file[1], buffer_bytes(&package), err) && report(buffer_bytes(&package), err);
}

static bool verify_full(const struct command_options *options, char **file, size_t count, struct error *err)
{
    _cleanup_(buffer_free) struct buffer package = {0};
    _cleanup_(buffer_free) struct buffer image = {0};
    if (count > 2 || options->expect_old || options->any_size)
        return error_set(err, ERROR_BAD_REQUEST,
                         "verify --full takes a full package and its image: no OLD, no --expect-old and no "
                         "--any-size");
    return load(file[0], COMMAND_MAX_INPUT, NULL, &package, err) &&
           load(file[1], options->max_bytes, options->expect_new, &image, err) &&
           ec618_full_verify(buffer_bytes(&package), buffer_bytes(&image), err) &&
           report(buffer_bytes(&image), err);
}

bool command_verify(const struct command_options *options, char **file, size_t count, struct error *err)
{
    if (options->full)
        return verify_full(options, file, count, err);
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
        return error_set(err, ERROR_INVALID, "applying the package does not give %s", file[2]);
    tell(&note);
    return report(buffer_bytes(&wanted), err);
}

static bool unpack_soc(struct bytes archive, size_t max_bytes, const char *path, struct error *err)
{
    _cleanup_(soc_free) struct soc soc = {.left_out = ""};
    _cleanup_(buffer_free) struct buffer out = {0};
    if (!soc_open(archive, &soc, err) || !soc_write(&soc, &out, err))
        return false;
    if (out.len > max_bytes)
        return error_set(err, ERROR_TOO_LARGE, "the release has %zu bytes; the limit is %zu", out.len,
                         max_bytes);
    if (!file_store(path, buffer_bytes(&out), err) || !report(buffer_bytes(&out), err))
        return false;
    printf("\nleft out: %s\n", soc.left_out);
    return true;
}

static bool unpack_one(struct bytes archive, size_t max_bytes, const char *path, struct error *err)
{
    _cleanup_(buffer_free) struct buffer out = {0};
    struct bundle_firmware found;
    if (!bundle_take_firmware(archive, max_bytes, &found, &out, err) ||
        !file_store(path, buffer_bytes(&out), err) || !report(buffer_bytes(&out), err))
        return false;
    printf("%s\nleft out: %s\n", found.name, found.left_out);
    return true;
}

bool command_unpack(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer archive = {0};
    if (!load(file[0], options->max_bytes, NULL, &archive, err))
        return false;
    struct bytes bytes = buffer_bytes(&archive);
    if (!bundle_owns(bytes))
        return error_set(err, ERROR_INVALID, "%s is neither a 7z nor a ZIP archive", file[0]);
    return soc_owns(bytes) ? unpack_soc(bytes, options->max_bytes, file[1], err)
                           : unpack_one(bytes, options->max_bytes, file[1], err);
}

bool command_inspect(const struct command_options *options, char **file, size_t count, struct error *err)
{
    (void)count;
    _cleanup_(buffer_free) struct buffer content = {0};
    if (!load(file[0], options->max_bytes, NULL, &content, err))
        return false;
    if (!options->brief)
        return inspect_file(buffer_bytes(&content), stdout, err);
    const struct engine *engine = engine_recognise(buffer_bytes(&content));
    return inspect_json_file(buffer_bytes(&content), engine ? engine->format->name : NULL, stdout, err);
}
