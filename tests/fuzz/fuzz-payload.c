/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as an EC618 payload, opened, described and applied to any old image; and
   payloads that are made from any pair of images and applied. Input: a byte whose lowest bit chooses
   between the two, length of old (2 bytes, low first), old, and the rest is the payload or new. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "delta/ec618/module.h"

#define NEW_MAX ((size_t)4 * EC618_BLOCK_BYTES)

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void check_apply(struct bytes old, struct bytes payload)
{
    struct buffer image = {0};
    struct ec618_payload opened;
    struct error err = {ERROR_CODES, ""};
    char *text = NULL;
    size_t text_len;
    bool applied = ec618_module_apply(old, payload, NEW_MAX, &image, &err);
    must(applied ? image.len <= NEW_MAX : err.code == ERROR_CORRUPT || err.code == ERROR_TOO_LARGE);
    bool opens = ec618_payload_open(payload, &opened, &err);
    must(opens || !applied);
    if (opens) {
        FILE *to = open_memstream(&text, &text_len);
        must(to != NULL);
        must(ec618_payload_describe(&opened, to, &err) || !applied);
        fclose(to);
    }
    free(text);
    buffer_free(&image);
}

static void check_make(struct bytes old, struct bytes new)
{
    struct buffer payload = {0}, image = {0};
    struct error err;
    if (new.len == 0)
        return;
    must(ec618_payload_make(old, new, (struct ec618_options){0}, &payload, &err));
    must(ec618_module_apply(old, buffer_bytes(&payload), new.len, &image, &err));
    must(bytes_equal(buffer_bytes(&image), new));
    buffer_free(&payload);
    buffer_free(&image);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    if (len < 3)
        return 0;
    size_t rest = len - 3, wanted = (size_t)(input[1] | input[2] << 8);
    struct bytes old = {input + 3, wanted < rest ? wanted : rest};
    struct bytes other = {input + 3 + old.len, rest - old.len};
    if (input[0] & 1)
        check_make(old, other);
    else
        check_apply(old, other);
    return 0;
}
