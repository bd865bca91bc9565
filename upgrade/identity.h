/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What a device is known by: kind and normalised id. (The product is the third part of its identity.) */
#ifndef DFOTA_UPGRADE_IDENTITY_H
#define DFOTA_UPGRADE_IDENTITY_H

#include <stdbool.h>
#include "base/enum_names.h"
#include "base/slice.h"

enum id_kind { ID_IMEI, ID_MAC, ID_UID, ID_KINDS }; /* in order of preference where a request names several */
extern const struct enum_names id_kind_names;

#define IDENTITY_SIZE 65 /* an id has at most 64 characters */

struct identity {
    enum id_kind kind;
    char id[IDENTITY_SIZE];
};

const char *identity_kind_name(enum id_kind kind); /* "imei", "mac", "uid" */
bool identity_kind_parse(struct slice text, enum id_kind *ret);

#define IMEI_BODY_DIGITS                                                                                     \
    14 /* they alone name the module; behind them a check digit, or a software version of two */
#define IMEI_DIGITS        15
#define IMEI_DIGITS_MAX    16
#define MAC_DIGITS         12
#define CHIP_ID_DIGITS_MIN 8 /* 32 bits */

/* IMEI: 14 to 16 digits (blanks and hyphens dropped), kept as sent; device_find() takes the three lengths for one device.
   Or any other text with a letter, since clients send their own names there: see identity_is_imei().
   MAC: an even number of hex digits, 8 to 64, upper case, separators : - . dropped; longer than 12 it is a chip's
   unique id. UID: 1 to 64 of visible ASCII without '/', '?', '&', '#', '%'.
   False when it is no such id, and for what stands where there is no id: zeros only, eight or more F only, or a word
   such as "nil", "null", "none", "unknown" (placeholder_words in identity.c). */
bool identity_normalise(enum id_kind kind, struct slice text, struct identity *ret);

/* A uid as a device sent it: visible ASCII is a text as above; other bytes, 4 to 32, are kept as upper-case hex, with
   *ret_raw. One client of the vendor sends a chip's unique id in hex and another its bytes: both name one device. */
bool identity_of_bytes(struct slice bytes, struct identity *ret, bool *ret_raw);

/* "imei:…", "mac:…", "uid:…"; without prefix 14 to 16 digits are an IMEI, 12 hex digits a MAC, all else a UID. */
bool identity_parse(struct slice text, struct identity *ret);

/* All that a text without prefix may mean, the reading of identity_parse() first; with a prefix one. To look for a device
   that is there. */
#define IDENTITY_READINGS 5
unsigned identity_readings(struct slice text, struct identity ret[IDENTITY_READINGS]);

/* False: of another kind, or a text that was sent as imei and is not an IMEI. */
bool identity_is_imei(const struct identity *identity);

/* The 14 digits with their check digit (Luhn). */
void identity_complete_imei(const char body[IMEI_BODY_DIGITS + 1], char out[IMEI_DIGITS + 1]);

/* An IMEI of 15 digits whose last is not its check digit (Luhn). A warning, never a refusal. */
bool identity_is_doubtful(const struct identity *identity);

#endif
