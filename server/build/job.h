/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One job: find it, make it, store its end. The scheduler does this in each of its threads. */
#ifndef DFOTA_SERVER_BUILD_JOB_H
#define DFOTA_SERVER_BUILD_JOB_H

#include "server/build/build.h"

struct job {
    struct build making;
    bool found;
    bool improves; /* the package is ready; this job tries more effort */
    enum make_end end;
    bool failed_for_good; /* set by job_store(): the package is `failed` */
    bool outdated; /* set by job_store(): the package was replaced meanwhile, or is not wanted any more */
    int64_t swaps_waiting; /* smaller packages that wait for transfers to end, as last seen */
};

/* Keeps two threads from improving the same package: false where another does. */
typedef bool job_reserve_function(void *cls, int64_t package_id);

/* The sources of work, in the order in which they are searched. Each sets job->found and fills
   job->making. */
struct job_source {
    bool (*take)(struct job *job, job_reserve_function *reserve, void *cls, struct error *err);
    bool background;
};

#define JOB_SOURCES 5
extern const struct job_source job_sources[JOB_SOURCES];

/* Stores how the job ended. False: call it again until it succeeds. */
bool job_store(struct job *job, enum make_end end, struct error *err) __attribute__((warn_unused_result));
void job_tell(const struct job *job, enum make_end end, int64_t took_ms);

/* Replaces packages by their smaller versions if no transfer is pinned to them any more. */
bool job_swap(struct job *job, struct error *err) __attribute__((warn_unused_result));

#endif
