/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/ledger/row_json.h"

#include <stdlib.h>
#include <string.h>
#include "server/core/field.h"

/* As an object if writing it again gives exactly the same text. Otherwise as text, so that a reader who
   checks the chain sees what is stored. */
static json_t *detail_to_json(const char *text)
{
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    char *again = json_is_object(json) ? json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    bool same = again && strcmp(again, text) == 0;
    free(again);
    if (same)
        return json;
    json_decref(json);
    json = field_text(text);
    return json_is_null(json) ? json_string("") : json;
}

json_t *row_json_make(const struct ledger_row *row)
{
    return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seq", (json_int_t)row->seq,
                     "at", (json_int_t)row->at_ms, "kind", field_text(row->kind), "product",
                     field_text(row->product), "firmware", field_text(row->firmware), "device",
                     field_text(row->device), "attempt", field_number(row->attempt), "package",
                     field_text(row->package), "detail", detail_to_json(row->detail), "prev",
                     field_hash(&row->prev), "hash", field_hash(&row->hash));
}
