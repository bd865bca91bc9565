/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The content of a transcript in the form of the admin API. */
#ifndef DFOTA_SERVER_ADMIN_TRANSCRIPT_JSON_H
#define DFOTA_SERVER_ADMIN_TRANSCRIPT_JSON_H

#include <jansson.h>
#include "storage/transcript.h"

json_t *transcript_row_json(const struct transcript_row *row);

/* `evidence` of the same transcript says which attempt each try belongs to. */
json_t *transcript_found_json(const struct transcript *found, const struct evidence *evidence, size_t count);

/* Bytes as text: invalid UTF-8 becomes U+FFFD. */
json_t *transcript_text_json(struct slice text);

#endif
