/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Tags of a device: short words that an admin chooses. They are kept as one text, sorted, with a blank
   between two tags. Pure. */
#ifndef DFOTA_UPGRADE_TAG_H
#define DFOTA_UPGRADE_TAG_H

#include <stdbool.h>
#include "base/error.h"
#include "base/slice.h"

#define TAG_SIZE  33 /* 1 to 32 bytes and NUL */
#define TAGS_MAX  16 /* of a device */
#define TAGS_SIZE (TAGS_MAX * TAG_SIZE)

/* ASCII letters, digits, '.', '_', '-', ':' and other characters of UTF-8. The first is a letter, a digit or
   not ASCII. */
bool tag_is_valid(struct slice text);

/* Reads tags with blanks, commas or semicolons between them. The same tag twice counts once. ERROR_INVALID:
   a tag is not valid, or there are too many. */
bool tags_parse(struct slice text, char out[TAGS_SIZE], struct error *err)
    __attribute__((warn_unused_result));

/* Adds a tag, unless it is there. ERROR_INVALID: it is not valid, or the device has TAGS_MAX tags. */
bool tags_add(char tags[TAGS_SIZE], struct slice tag, struct error *err) __attribute__((warn_unused_result));

/* Removes a tag, if it is there. */
void tags_remove(char tags[TAGS_SIZE], struct slice tag);

bool tags_have(const char *tags, struct slice tag);

#endif
