/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The identity of a device within its product: kind and normalised id. Pure. */
#ifndef DFOTA_UPGRADE_IDENTITY_H
#define DFOTA_UPGRADE_IDENTITY_H

#include <stdbool.h>
#include "base/enum_names.h"
#include "base/slice.h"

enum id_kind { ID_IMEI, ID_MAC, ID_UID, ID_KINDS }; /* the first one counts if a request has several */
extern const struct enum_names id_kind_names;

#define IDENTITY_SIZE 65 /* an id has at most 64 characters */

struct identity {
    enum id_kind kind;
    char id[IDENTITY_SIZE];
};

const char *identity_kind_name(enum id_kind kind); /* "imei", "mac", "uid" */
bool identity_kind_parse(struct slice text, enum id_kind *ret);

#define IMEI_BODY_DIGITS                                                                                     \
    14 /* they identify the module; a check digit or a software version of two digits follows */
#define IMEI_DIGITS        15
#define IMEI_DIGITS_MAX    16
#define MAC_DIGITS         12
#define CHIP_ID_DIGITS_MIN 8 /* 32 bits */

/* IMEI: 14 to 16 digits, without blanks and hyphens. The length stays as sent; device_find() treats the
   three lengths as one device. Clients also send their own names as imei, so any other text with a letter
   is valid: see identity_is_imei().
   MAC: an even number of hex digits, 8 to 64, in upper case, without the separators : - . ; more than 12
   digits are the unique id of a chip.
   UID: 1 to 64 characters of visible ASCII without '/', '?', '&', '#', '%'. False if the text is not such
   an id, or a placeholder: only zeros, eight or more F, or a word such as "nil", "null", "none", "unknown"
   (placeholder_words in identity.c). */
bool identity_normalise(enum id_kind kind, struct slice text, struct identity *ret);

/* A uid as a device sent it. Visible ASCII is a text as above. Other bytes, 4 to 32, become upper-case hex,
   and *ret_raw is true. One client of the vendor sends the unique id of a chip as hex, another one as
   bytes: both are the same device. */
bool identity_of_bytes(struct slice bytes, struct identity *ret, bool *ret_raw);

/* Reads "imei:…", "mac:…" or "uid:…". Without a prefix 14 to 16 digits are an IMEI, 12 hex digits a MAC,
   other text a UID. */
bool identity_parse(struct slice text, struct identity *ret);

/* All ids that a text can mean, that of identity_parse() first; only one for a text with a prefix. For
   finding an existing device. Returns their number. */
#define IDENTITY_READINGS 5
unsigned identity_readings(struct slice text, struct identity ret[IDENTITY_READINGS]);

/* False for another kind, and for a text that was sent as imei and is not an IMEI. */
bool identity_is_imei(const struct identity *identity);

/* The 14 digits with their check digit (Luhn). */
void identity_complete_imei(const char body[IMEI_BODY_DIGITS + 1], char out[IMEI_DIGITS + 1]);

/* An IMEI of 15 digits with a wrong check digit (Luhn). Only a warning; the id is accepted. */
bool identity_is_doubtful(const struct identity *identity);

#endif
