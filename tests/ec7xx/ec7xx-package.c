/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* EC7xx packages for tests and for the other reader:

     ec7xx-package apply OLD PACKAGE NEW [INDEX]   writes NEW; OLD is the image of the package with that index
     ec7xx-package image IMAGE                     checks an image, the hashes of its sections, and their packing
     ec7xx-package unpack IMAGE GROUP PLAIN        writes the unpacked group */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "delta/ec7xx/image.h"
#include "delta/ec7xx/module.h"
#include "delta/ec7xx/rules.h"
#include "delta/file.h"

#define FILE_MAX ((size_t)1 << 26)

static bool apply(struct bytes old, struct bytes package, unsigned int index, const char *to,
                  struct error *err)
{
    struct par par;
    struct buffer new = {0};
    if (!par_read(package, &par, err) || !par_check(&par, err) || !ec7xx_rules_check(&par, err))
        return false;
    if (index >= par.parts)
        return error_set(err, ERROR_INVALID, "the archive has %u packages", par.parts);
    bool ok = ec7xx_module_apply(old, &par.part[index], &new, err) && file_store(to, buffer_bytes(&new), err);
    buffer_free(&new);
    return ok;
}

static bool run_apply(int argc, char **argv, struct error *err)
{
    struct buffer old = {0}, package = {0};
    bool ok = file_load(argv[2], FILE_MAX, &old, err) && file_load(argv[3], FILE_MAX, &package, err) &&
              apply(buffer_bytes(&old), buffer_bytes(&package), argc > 5 ? (unsigned int)atoi(argv[5]) : 0,
                    argv[4], err);
    buffer_free(&old);
    buffer_free(&package);
    return ok;
}

static bool check_image(struct bytes bytes, struct error *err)
{
    struct ec7xx_image image;
    if (!ec7xx_image_open(bytes, &image, err) || !ec7xx_image_check_hashes(&image, err) ||
        !ec7xx_image_check_packing(&image, err))
        return false;
    printf("%u sections in %u groups\n", image.sections, image.groups);
    return true;
}

static bool unpack(struct bytes bytes, unsigned int number, const char *to, struct error *err)
{
    struct ec7xx_image image;
    struct buffer plain = {0};
    if (!ec7xx_image_open(bytes, &image, err))
        return false;
    const struct ec7xx_group *group = ec7xx_image_find_group(&image, number);
    bool ok = group
                  ? ec7xx_group_unpack(group, bytes, &plain, err) && file_store(to, buffer_bytes(&plain), err)
                  : error_set(err, ERROR_INVALID, "the image has no group %u", number);
    buffer_free(&plain);
    return ok;
}

static bool run_image(int argc, char **argv, struct error *err)
{
    struct buffer image = {0};
    bool ok = file_load(argv[2], FILE_MAX, &image, err) &&
              (argc > 4 ? unpack(buffer_bytes(&image), (unsigned int)atoi(argv[3]), argv[4], err)
                        : check_image(buffer_bytes(&image), err));
    buffer_free(&image);
    return ok;
}

int main(int argc, char **argv)
{
    struct error err;
    bool ok;
    if (argc >= 5 && strcmp(argv[1], "apply") == 0) {
        ok = run_apply(argc, argv, &err);
    } else if ((argc == 3 && strcmp(argv[1], "image") == 0) ||
               (argc == 5 && strcmp(argv[1], "unpack") == 0)) {
        ok = run_image(argc, argv, &err);
    } else {
        fprintf(
            stderr,
            "usage: ec7xx-package apply OLD PACKAGE NEW [INDEX] | image IMAGE | unpack IMAGE GROUP PLAIN\n");
        return 2;
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok ? 0 : 1;
}
