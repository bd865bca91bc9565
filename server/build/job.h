/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One job: found, made, and its end stored. What jobs.c does on each of its threads. */
#ifndef DFOTA_SERVER_BUILD_JOB_H
#define DFOTA_SERVER_BUILD_JOB_H

#include "server/build/build.h"

struct job {
    struct build making;
    bool found;
    bool improves; /* a ready package: `effort` is more than it was tried with */
    enum make_end end;
    bool failed_for_good; /* set when its end is stored */
    bool outdated; /* other bytes have taken its place meanwhile, or nobody wants it any more; as stored */
    int64_t swaps_waiting; /* how many smaller packages wait for transfers to end, as last seen */
};

/* Keeps two threads from improving the same package: false where another does. */
typedef bool job_reserve_function(void *cls, int64_t package_id);

/* Where work comes from, in the order in which it is looked for. Each sets job->found, and fills job->making.
 */
struct job_source {
    bool (*take)(struct job *job, job_reserve_function *reserve, void *cls, struct error *err);
    bool background;
};

#define JOB_SOURCES 5
extern const struct job_source job_sources[JOB_SOURCES];

/* Stores how it ended; again until it is true. */
bool job_store(struct job *job, enum make_end end, struct error *err) __attribute__((warn_unused_result));
void job_tell(const struct job *job, enum make_end end, int64_t took_ms);

/* Puts smaller packages in their place where no transfer is pinned any more. */
bool job_swap(struct job *job, struct error *err) __attribute__((warn_unused_result));

#endif
