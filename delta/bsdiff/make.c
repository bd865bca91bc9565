/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bsdiff/make.h"

#include "base/cleanup.h"
#include "delta/bsdiff/bsdiff.h"
#include "delta/bsdiff/search.h"
#include "delta/bsdiff/window.h"
#include "delta/match/match.h"

/* The new image is searched in windows of at most this number of bytes. This bounds the memory of the search
   for any image. Each window learns its own costs. */
#define WINDOW ((size_t)4 << 20)

/* A package of at most SMALL bytes is also made in other ways, with any effort, if new has at most NEAT bytes.
   The header and what bzip2 stores for each stream are most of it. */
#define SMALL ((size_t)1024)
#define NEAT  ((size_t)1 << 20)

/* Where streams give more than CLEAR bytes, rough compression is less than 1/CLEAR_SHARE larger than compression with the effort
   quick: both code the same symbols. */
#define CLEAR       ((size_t)16384)
#define CLEAR_SHARE 32

static const struct plan {
    struct bsdiff_tries tries; /* no passes: the first script is used */
    enum bsdiff_packing packing;
} plans[] = {
    [BSDIFF_EFFORT_QUICK] = {{{0}, 0}, BSDIFF_STOCK},
    [BSDIFF_EFFORT_GOOD] = {{{115}, 3}, BSDIFF_GOOD},
    [BSDIFF_EFFORT_BEST] = {{{115}, 4}, BSDIFF_BEST},
};

struct scripts {
    struct match_script first; /* of the effort quick */
    struct match_script best;  /* of the windows; empty with the effort quick */
    size_t first_len;          /* of the streams of `first` after rough compression; 0: not known */
    uint64_t steps;
};

static void free_scripts(struct scripts *s)
{
    match_script_free(&s->first);
    match_script_free(&s->best);
}

/* Searches each window and joins the scripts. The windows have about the same size. */
static bool search_windows(const struct suffix *index, struct bytes old, struct bytes new,
                           const struct bsdiff_tries *tries, struct scripts *s, struct error *err)
{
    _cleanup_(match_script_free) struct match_script first = {0};
    _cleanup_(match_script_free) struct match_script best = {0};
    struct bsdiff_cut place = {.script = &s->first};
    int64_t old_at = 0;
    size_t windows = (new.len + WINDOW - 1) / WINDOW, at = 0;
    for (size_t i = 1; i <= windows; i++) {
        size_t end = (size_t)((uint64_t) new.len *i / windows);
        struct bytes window = {new.ptr + at, end - at};
        if (!bsdiff_window_cut(&place, window.len, &first, err) ||
            !bsdiff_search(index, old, window, tries, &first, &best, &s->first_len, err) ||
            !bsdiff_window_join(&s->best, &old_at, &best, err))
            return false;
        at = end;
    }
    s->steps += best.steps;
    s->first_len = windows == 1 ? s->first_len : 0;
    return true;
}

/* Does all work that needs the index, then frees it: it takes most of the memory. */
static bool use_index(struct suffix *index, struct bytes old, struct bytes new,
                      const struct bsdiff_tries *tries, struct scripts *s, struct error *err)
{
    bool ok = match_make_script(index, old, new, &s->first, err);
    if (ok && tries->passes > 0)
        ok = search_windows(index, old, new, tries, s, err);
    suffix_free(index);
    return ok;
}

/* Makes the package of a script and keeps it in *ret if it is the smallest one. An empty *ret has no package
   yet. */
static bool keep_smaller(struct bytes old, struct bytes new, const struct match_script *script,
                         enum bsdiff_packing packing, struct buffer *ret, struct error *err)
{
    _cleanup_(buffer_free) struct buffer made = {0};
    if (!bsdiff_encode(old, new, script, packing, &made, err))
        return false;
    if (ret->len == 0 || made.len < ret->len) {
        struct buffer larger = *ret;
        *ret = made;
        made = larger;
    }
    return true;
}

/* The same, but does not make a package that would be much larger. */
static bool keep_smaller_neat(struct bytes old, struct bytes new, const struct match_script *script,
                              struct buffer *ret, struct error *err)
{
    size_t about;
    if (!bsdiff_measure(old, new, script, &about, err))
        return false;
    return about > ret->len + ret->len / 4 || keep_smaller(old, new, script, BSDIFF_BEST, ret, err);
}

static bool equal_scripts(const struct match_script *a, const struct match_script *b)
{
    bool equal = a->count == b->count;
    for (size_t i = 0; equal && i < a->count; i++)
        equal = a->record[i].diff_len == b->record[i].diff_len &&
                a->record[i].extra_len == b->record[i].extra_len && a->record[i].seek == b->record[i].seek;
    return equal;
}

/* Makes diff bytes of the extra bytes, so that the extra stream is empty. Such diff bytes may be at positions outside of old. */
static bool without_extra(const struct match_script *script, struct match_script *ret, struct error *err)
{
    for (size_t i = 0; i < script->count; i++) {
        struct match_record record = script->record[i];
        record.diff_len += record.extra_len;
        record.seek = i + 1 < script->count ? record.seek - record.extra_len : 0;
        record.extra_len = 0;
        if (!match_script_add(ret, record, err))
            return false;
    }
    return true;
}

/* Tries the first script with the best packing, also without an extra stream, and scripts of one record. */
static bool make_neat(struct bytes old, struct bytes new, const struct match_script *first,
                      struct buffer *ret, struct error *err)
{
    _cleanup_(match_script_free) struct match_script merged = {0};
    struct match_record diff = {(uint32_t) new.len, 0, 0}, extra = {0, (uint32_t) new.len, 0};
    if (!without_extra(first, &merged, err))
        return false;
    const struct match_script tries[] = {*first, merged, {&diff, 1, 1, 0}, {&extra, 1, 1, 0}};
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen = seen || equal_scripts(&tries[k], &tries[i]);
        if (!seen && !keep_smaller_neat(old, new, &tries[i], ret, err))
            return false;
    }
    return true;
}

/* Whether the package of the best script is so much smaller than the first script after rough compression that the package of the
   effort quick cannot be smaller. */
static bool is_clearly_smaller(size_t len, size_t first_len)
{
    return len > CLEAR && len < first_len - first_len / CLEAR_SHARE;
}

static bool encode(struct bytes old, struct bytes new, const struct scripts *s, const struct plan *plan,
                   struct buffer *ret, struct error *err)
{
    if (plan->tries.passes > 0 && !keep_smaller(old, new, &s->best, plan->packing, ret, err))
        return false;
    if (!is_clearly_smaller(ret->len, s->first_len) &&
        !keep_smaller(old, new, &s->first, BSDIFF_STOCK, ret, err))
        return false;
    return ret->len > SMALL || new.len == 0 || new.len > NEAT || make_neat(old, new, &s->first, ret, err);
}

bool bsdiff_make(struct bytes old, struct bytes new, struct suffix *index, enum bsdiff_effort effort,
                 struct buffer *ret, uint64_t *steps, struct error *err)
{
    _cleanup_(free_scripts) struct scripts s = {0};
    _cleanup_(buffer_free) struct buffer package = {0};
    const struct plan *plan = &plans[effort];
    if (!index && !suffix_build(old, &index, err))
        return false;
    if (!use_index(index, old, new, &plan->tries, &s, err) || !encode(old, new, &s, plan, &package, err))
        return false;
    if (steps)
        *steps += s.steps + s.first.steps;
    *ret = package;
    package = (struct buffer){0};
    return true;
}
