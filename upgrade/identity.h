/* What a device is known by: kind and normalised id. (The product is the third part of its identity.) */
#ifndef DFOTA_UPGRADE_IDENTITY_H
#define DFOTA_UPGRADE_IDENTITY_H

#include <stdbool.h>
#include "base/slice.h"

enum id_kind { ID_IMEI, ID_MAC, ID_UID, ID_KINDS }; /* in order of preference where a request names several */

#define IDENTITY_SIZE 65 /* an id has at most 64 characters */

struct identity {
    enum id_kind kind;
    char id[IDENTITY_SIZE];
};

const char *identity_kind_name(enum id_kind kind); /* "imei", "mac", "uid" */
bool identity_kind_parse(struct slice text, enum id_kind *ret);

/* IMEI: 14 to 16 digits (blanks and hyphens dropped). MAC: 12 hex digits, upper case, separators : - . dropped. UID: 1 to 64 of
   visible ASCII without '/', '?', '&', '#', '%'. False when it is no such id. */
bool identity_normalise(enum id_kind kind, struct slice text, struct identity *ret);

/* "imei:…", "mac:…", "uid:…"; without prefix 14 to 16 digits are an IMEI, 12 hex digits a MAC, all else a UID. */
bool identity_parse(struct slice text, struct identity *ret);

/* An IMEI of 15 digits whose last is not its check digit (Luhn). A warning, never a refusal. */
bool identity_is_doubtful(const struct identity *identity);

#endif
