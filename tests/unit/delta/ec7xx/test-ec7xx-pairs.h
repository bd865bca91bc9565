/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Helpers for the tests of EC7xx packages: two generated images with the archive between them, and whether dfota
   accepts a package. */
#ifndef DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_PAIRS_H
#define DFOTA_TESTS_UNIT_DELTA_EC7XX_TEST_EC7XX_PAIRS_H

#include "tests/unit/delta/ec7xx/test-ec7xx.h"

#include "delta/container/par.h"
#include "delta/ec7xx/ec7xx.h"
#include "delta/ec7xx/make.h"

#define ROOM ((size_t)1 << 24)
#define SEG  ((uint32_t)EC7XX_SEGMENT_BYTES)

struct pair { /* an archive that changes CP only */
    struct buffer old, new, file;
};

static inline struct buffer must_make(struct bytes old, struct bytes new, enum ec7xx_order order,
                                      bool is_long)
{
    struct ec7xx_options options = {.effort = EC7XX_QUICK, .only_order = true, .order = order};
    struct par_source source = {.attribute = PAR_CP,
                                .reverse = order == EC7XX_BACKWARD,
                                .load_address = 0x1A000,
                                .old = old,
                                .new = new};
    struct buffer payload = {0}, file = {0};
    enum ec7xx_order made;
    struct error err;
    if (!ec7xx_payload_make(old, new, options, &payload, &made, &err))
        fail_msg("%s", err.text);
    assert_int_equal(made, order);
    source.payload = buffer_bytes(&payload);
    assert_true(par_make_ec7xx(&source, 1, is_long, &file, &err));
    buffer_free(&payload);
    return file;
}

static inline struct pair make_pair(const struct plan *old, const struct plan *new, enum ec7xx_order order)
{
    struct pair p = {.old = plan_image(old), .new = plan_image(new)};
    p.file = must_make(buffer_bytes(&p.old), buffer_bytes(&p.new), order, false);
    return p;
}

static inline struct pair usual_pair(enum ec7xx_order order)
{
    struct plan old = usual_plan(), new = usual_plan();
    new.plain_bytes += 100;
    new.section[1].bytes += 50;
    new.revision = 1;
    return make_pair(&old, &new, order);
}

static inline void free_pair(struct pair *p)
{
    buffer_free(&p->old);
    buffer_free(&p->new);
    buffer_free(&p->file);
}

/* Whether the package is accepted. The result of an accepted package must be `new`. */
static inline bool takes(struct bytes old, struct bytes new, struct bytes package, struct error *err)
{
    struct buffer made = {0};
    *err = (struct error){ERROR_CODES, ""};
    bool ok = ec7xx_apply(old, package, ROOM, &made, err);
    if (ok)
        assert_true(bytes_equal(buffer_bytes(&made), new));
    else if (err->code != ERROR_CORRUPT && err->code != ERROR_INVALID && err->code != ERROR_CANNOT_APPLY)
        fail_msg("%d %s", err->code, err->text);
    buffer_free(&made);
    return ok;
}

static inline bool takes_pair(const struct pair *p, struct error *err)
{
    return takes(buffer_bytes(&p->old), buffer_bytes(&p->new), buffer_bytes(&p->file), err);
}

#endif
