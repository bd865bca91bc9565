/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/digest.h"

#include <stdint.h>
#include <string.h>

#define ALGORITHM  "sha-256"
#define BASE64_LEN 44 /* characters of a SHA-256, padding included */

static int sextet(char c)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(alphabet, c) : NULL;
    return at ? (int)(at - alphabet) : -1;
}

/* Base64 with or without its padding; no other characters, and no unused bits set. */
static bool is_base64(struct slice text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    for (size_t i = 0; i < text.len; i++)
        if (sextet(text.ptr[i]) < 0)
            return false;
    return text.len > 0 && text.len % 4 != 1;
}

static bool decode(struct slice text, struct sha256 *ret)
{
    uint32_t bits = 0;
    size_t used = 0;
    unsigned have = 0;
    if (text.len != BASE64_LEN && text.len != BASE64_LEN - 1)
        return false;
    for (size_t i = 0; i < BASE64_LEN - 1; i++) {
        int value = sextet(text.ptr[i]);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        have += 6;
        if (have >= 8 && used < SHA256_SIZE) {
            have -= 8;
            ret->byte[used++] = (uint8_t)(bits >> have);
        }
    }
    return used == SHA256_SIZE && (bits & 3) == 0 &&
           (text.len < BASE64_LEN || text.ptr[BASE64_LEN - 1] == '=');
}

static struct slice trimmed(struct slice text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
        text.len--;
    return text;
}

static bool is_key(struct slice key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool first = (c >= 'a' && c <= 'z') || c == '*';
        bool later = (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
        if (!first && (i == 0 || !later))
            return false;
    }
    return key.len > 0;
}

static bool malformed(const char *header, struct error *err)
{
    return error_set(err, ERROR_BAD_REQUEST,
                     "%s is malformed: write sha-256=:BASE64:, the base64 of the SHA-256 between colons",
                     header);
}

/* "key=:base64:"; parameters after it are ignored. */
static bool read_member(const char *header, struct slice member, struct digest *digest, struct error *err)
{
    struct slice rest = trimmed(member), key, value;
    struct sha256 hash;
    if (!slice_split(&rest, '=', &key) || !is_key(key) || rest.len < 2 || rest.ptr[0] != ':')
        return malformed(header, err);
    const char *end = memchr(rest.ptr + 1, ':', rest.len - 1);
    if (!end)
        return malformed(header, err);
    value = (struct slice){rest.ptr + 1, (size_t)(end - rest.ptr - 1)};
    rest = trimmed((struct slice){end + 1, rest.len - value.len - 2});
    if ((rest.len > 0 && rest.ptr[0] != ';') || !is_base64(value))
        return malformed(header, err);
    if (!slice_is(key, ALGORITHM))
        return true;
    if (!decode(value, &hash))
        return malformed(header, err);
    if (digest->given && !sha256_equal(&digest->sha256, &hash))
        return error_set(err, ERROR_BAD_REQUEST, "two different SHA-256 digests are given for one body");
    *digest = (struct digest){true, hash};
    return true;
}

bool digest_parse(const char *header, struct slice value, struct digest *digest, struct error *err)
{
    struct slice member;
    if (trimmed(value).len == 0)
        return malformed(header, err);
    while (slice_split(&value, ',', &member))
        if (!read_member(header, member, digest, err))
            return false;
    return true;
}

bool digest_read(const struct request *request, struct digest *ret, struct error *err)
{
    static const char *const headers[] = {"Repr-Digest", "Content-Digest"};
    struct slice value;
    ret->given = false;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (request_header(request, headers[i], &value) && !digest_parse(headers[i], value, ret, err))
            return false;
    return true;
}

bool digest_check(const struct digest *digest, const struct sha256 *body, struct error *err)
{
    char said[SHA256_HEX_SIZE], is[SHA256_HEX_SIZE];
    if (!digest->given || sha256_equal(&digest->sha256, body))
        return true;
    sha256_hex(&digest->sha256, said);
    sha256_hex(body, is);
    return error_set(
        err, ERROR_DIGEST_MISMATCH,
        "the body was changed during the transfer: the sender gave SHA-256 %s, but the received bytes have "
        "%s. Nothing was stored. Send it again (with curl use -T FILE, not --data @FILE)",
        said, is);
}
