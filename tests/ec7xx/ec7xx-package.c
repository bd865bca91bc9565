/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* EC7xx packages for tests and for the other reader:

     ec7xx-package apply OLD PACKAGE NEW [INDEX]   writes NEW; OLD is the image of the package with that index
     ec7xx-package make OLD NEW PACKAGE [quick|good|best] [forward|backward]
                                                   writes a package between two CP images
     ec7xx-package image IMAGE                     checks an image, the hashes of its sections, and their packing
     ec7xx-package unpack IMAGE GROUP PLAIN        writes the unpacked group */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "delta/ec7xx/image.h"
#include "delta/ec7xx/make.h"
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

static struct ec7xx_options read_options(int argc, char **argv)
{
    struct ec7xx_options options = {.effort = EC7XX_GOOD};
    for (int i = 5; i < argc; i++) {
        if (strcmp(argv[i], "quick") == 0)
            options.effort = EC7XX_QUICK;
        if (strcmp(argv[i], "best") == 0)
            options.effort = EC7XX_BEST;
        options.only_order |= strcmp(argv[i], "forward") == 0 || strcmp(argv[i], "backward") == 0;
        if (strcmp(argv[i], "backward") == 0)
            options.order = EC7XX_BACKWARD;
    }
    return options;
}

static bool make(struct bytes old, struct bytes new, struct ec7xx_options options, const char *to,
                 struct error *err)
{
    struct par_source source = {.attribute = PAR_CP, .load_address = 0x1A000, .old = old, .new = new};
    struct buffer payload = {0}, package = {0};
    enum ec7xx_order order;
    bool ok = ec7xx_payload_make(old, new, options, &payload, &order, err);
    if (ok) {
        source.reverse = order == EC7XX_BACKWARD;
        source.payload = buffer_bytes(&payload);
        ok = par_make_ec7xx(&source, 1, false, &package, err) && file_store(to, buffer_bytes(&package), err);
        printf("%zu %s\n", package.len, order == EC7XX_BACKWARD ? "backward" : "forward");
    }
    buffer_free(&payload);
    buffer_free(&package);
    return ok;
}

static bool run_make(int argc, char **argv, struct error *err)
{
    struct buffer old = {0}, new = {0};
    bool ok = file_load(argv[2], FILE_MAX, &old, err) && file_load(argv[3], FILE_MAX, &new, err) &&
              make(buffer_bytes(&old), buffer_bytes(&new), read_options(argc, argv), argv[4], err);
    buffer_free(&old);
    buffer_free(&new);
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
    } else if (argc >= 5 && strcmp(argv[1], "make") == 0) {
        ok = run_make(argc, argv, &err);
    } else if ((argc == 3 && strcmp(argv[1], "image") == 0) ||
               (argc == 5 && strcmp(argv[1], "unpack") == 0)) {
        ok = run_image(argc, argv, &err);
    } else {
        fprintf(
            stderr,
            "usage: ec7xx-package apply OLD PACKAGE NEW [INDEX] | make OLD NEW PACKAGE [OPTION]... | image IMAGE | unpack IMAGE GROUP PLAIN\n");
        return 2;
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok ? 0 : 1;
}
