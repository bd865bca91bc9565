/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/window.h"

/* Appends diff bytes that read from `from` in old, then extra bytes. A piece that continues the last record
   becomes a part of that record. */
static bool add_piece(struct match_script *script, int64_t *old_at, int64_t from, uint32_t diff_len,
                      uint32_t extra_len, struct error *err)
{
    struct match_record *last = script->count > 0 ? &script->record[script->count - 1] : NULL;
    if (diff_len + extra_len == 0)
        return true;
    if (last && (diff_len == 0 || (from == *old_at && last->extra_len == 0))) {
        last->diff_len += diff_len;
        last->extra_len += extra_len;
        *old_at += diff_len;
        return true;
    }
    if (last && diff_len > 0)
        last->seek = from - *old_at;
    else if (diff_len > 0 && from != 0 && !match_script_add(script, (struct match_record){0, 0, from}, err))
        return false;
    *old_at = diff_len > 0 ? from + diff_len : 0;
    return match_script_add(script, (struct match_record){diff_len, extra_len, 0}, err);
}

static uint32_t smaller(uint32_t left, size_t limit)
{
    return left < limit ? left : (uint32_t)limit;
}

bool bsdiff_window_cut(struct bsdiff_cut *place, size_t len, struct match_script *ret, struct error *err)
{
    int64_t old_at = 0;
    ret->count = 0;
    while (len > 0) {
        const struct match_record *record = &place->script->record[place->record];
        uint32_t diff_len = smaller(record->diff_len - place->diff_done, len);
        uint32_t extra_len = smaller(record->extra_len - place->extra_done, len - diff_len);
        if (!add_piece(ret, &old_at, place->old_at, diff_len, extra_len, err))
            return false;
        place->diff_done += diff_len;
        place->extra_done += extra_len;
        place->old_at += diff_len;
        len -= diff_len + extra_len;
        if (place->diff_done == record->diff_len && place->extra_done == record->extra_len) {
            place->old_at += record->seek;
            place->record++;
            place->diff_done = place->extra_done = 0;
        }
    }
    return true;
}

bool bsdiff_window_join(struct match_script *script, int64_t *old_at, const struct match_script *next,
                        struct error *err)
{
    int64_t from = 0;
    for (size_t i = 0; i < next->count; i++) {
        const struct match_record *record = &next->record[i];
        if (!add_piece(script, old_at, from, record->diff_len, record->extra_len, err))
            return false;
        from += record->diff_len + record->seek;
    }
    return true;
}
