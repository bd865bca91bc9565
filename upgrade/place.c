#include "upgrade/place.h"

static bool can_continue(const struct place_attempt *attempt)
{
    return attempt->open && attempt->live && attempt->fits;
}

/* Its own bytes first. Whoever continues bytes of another origin may be the same module at a new address. */
static enum place choose_pin(const struct place_question *q)
{
    bool main = can_continue(&q->main), beside = can_continue(&q->beside);
    if (main && q->main.same_origin)
        return PLACE_MAIN;
    if (beside && (q->beside.same_origin || q->lower))
        return PLACE_BESIDE;
    if (q->lower)
        return PLACE_BESIDE;
    if (main && beside && !q->same_bytes)
        return PLACE_UNCLEAR;
    return beside && !main ? PLACE_BESIDE : PLACE_MAIN;
}

enum place place_choose(const struct place_question *q)
{
    if (q->continues)
        return choose_pin(q);
    if (q->lower)
        return PLACE_BESIDE;
    if (q->by_link || !q->main.open || !q->main.live || q->main.same_origin)
        return PLACE_MAIN;
    return PLACE_BESIDE;
}
