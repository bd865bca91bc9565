/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Campaigns and their stages as they are stored. The rules are in upgrade/campaign.h. A campaign that is
   running or paused is live. The target of a firmware is its live plain campaign: one stage, all devices. */
#ifndef DFOTA_STORAGE_CAMPAIGN_H
#define DFOTA_STORAGE_CAMPAIGN_H

#include "storage/db.h"
#include "storage/firmware.h"
#include "upgrade/campaign.h"
#include "upgrade/campaign_order.h"
#include "upgrade/filter_device.h"
#include "upgrade/version.h"

#define CAMPAIGN_PLAIN_NAME    "target"
#define CAMPAIGN_FORECAST_SIZE 640

/* A filter that is dynamic is an open audience, as all devices are. A frozen one is a list, which the start makes. */
enum audience { AUDIENCE_ALL, AUDIENCE_LIST };
extern const struct enum_names audience_names; /* "all", "list" */

struct campaign {
    int64_t id, firmware_id;
    char name[CAMPAIGN_NAME_SIZE]; /* unique in the firmware, besides plain campaigns */
    bool plain;
    char target[VERSION_TEXT_SIZE];
    enum campaign_state state;
    enum audience audience;
    int64_t devices; /* of a list; else those that had to be led to the target when the stage began */
    int64_t out;     /* devices with OUTCOME_OUT */
    int64_t ahead;   /* devices of the list that reported the target before a stage admitted them */
    char filter[FILTER_TEXT_MAX + 1]; /* "": the audience has none */
    enum campaign_order order;        /* of a list, when it is made */
    int64_t firsts;                   /* ranks below were named by an admin, besides the filter */
    int64_t reach;                    /* of a list: the current stage reaches the ranks below */
    int64_t reached;                  /* devices with such a rank that are not out */
    int64_t stage;                    /* the current one, from 0 */
    int64_t stage_started_ms;
    char paused_why[REASON_SIZE]; /* a reason, or the words of an admin */
    enum gate_breach breach;      /* a gate paused the campaign */
    int64_t breach_stage;         /* with `breach`: the stage with this gate, from 0 */
    bool last_done;               /* the last stage is done, and this was told */
    int64_t asked_stage;          /* the stage that admins were asked to approve, from 1; 0: none */
    bool pause_when_done, finish_transfers;
    char created_by[ADMIN_NAME_SIZE];
    int64_t created_ms, started_ms, ended_ms; /* 0: not yet */
    char forecast[CAMPAIGN_FORECAST_SIZE];    /* of the start, as JSON; "": not started */
    /* Acknowledged for its attempts, also for those to an earlier target. `vain`: of attempts that ended and were not
       confirmed, and what devices threw away when they began a download again. Counted by fleet.h. */
    int64_t bytes, vain;
};

struct stage_place campaign_place(const struct campaign *campaign, int64_t rank);
const char *campaign_audience_name(const struct campaign *campaign); /* "all", "list", "filter" */

struct stages { /* of one campaign */
    struct stage stage[CAMPAIGN_STAGES_MAX];
    unsigned count;
};

/* Fills campaign->id. ERROR_CAMPAIGN_EXISTS: the name is taken. */
bool campaign_add(struct db *db, struct campaign *campaign, struct error *err);
/* Stores all fields but id, firmware_id, plain, created_by, created_ms, bytes and vain. ERROR_CAMPAIGN_EXISTS. */
bool campaign_update(struct db *db, const struct campaign *campaign, struct error *err);
/* With its stages and devices. Only for a draft: attempts name the others. */
bool campaign_remove(struct db *db, int64_t id, struct error *err);
bool campaign_by_id(struct db *db, int64_t id, struct campaign *ret, bool *ret_found, struct error *err);
/* By its number or its name. ERROR_CAMPAIGN_NOT_FOUND. */
bool campaign_get(struct db *db, int64_t firmware_id, const char *text, struct campaign *ret,
                  struct error *err);
/* Newest first, with id < before; *ret is the caller's (free). */
bool campaign_list(struct db *db, int64_t firmware_id, int64_t before, int64_t limit, struct campaign **ret,
                   size_t *ret_count, struct error *err);
/* The same of all firmwares. */
bool campaign_list_all(struct db *db, int64_t before, int64_t limit, struct campaign **ret, size_t *ret_count,
                       struct error *err);
/* The live plain campaign. */
bool campaign_plain_of(struct db *db, int64_t firmware_id, struct campaign *ret, bool *ret_found,
                       struct error *err);
/* The live campaigns for all devices, or with a dynamic filter. They lead to one version. First those with a filter, the
   newest first; *ret is the caller's (free). */
bool campaign_list_open(struct db *db, int64_t firmware_id, struct campaign **ret, size_t *ret_count,
                        struct error *err);
/* Any live campaign of the firmware. */
bool campaign_live_of(struct db *db, int64_t firmware_id, struct campaign *ret, bool *ret_found,
                      struct error *err);
/* The versions that live campaigns of the firmware lead to; *ret is the caller's (free). */
bool campaign_targets(struct db *db, int64_t firmware_id, char (**ret)[VERSION_TEXT_SIZE], size_t *ret_count,
                      struct error *err);
/* The ids of all running campaigns that are not plain; *ret is the caller's (free). */
bool campaign_running(struct db *db, int64_t **ret, size_t *ret_count, struct error *err);
/* The live campaigns of a firmware that lead to a version, and are not plain; *ret is the caller's (free). */
bool campaign_list_leading(struct db *db, int64_t firmware_id, const char *target, struct campaign **ret,
                           size_t *ret_count, struct error *err);
/* A live campaign with another target that has devices of this one. `besides`: the id of one that does not
   count, or 0. */
bool campaign_conflict(struct db *db, const struct campaign *campaign, int64_t besides, struct campaign *ret,
                       bool *ret_found, struct error *err);

/* The stages with what came of them, and the approvals. */
bool campaign_stages_load(struct db *db, int64_t id, struct stages *ret, struct error *err);
/* Replaces them; the counts of all stages are 0 then, and the approvals and the accepted failures are forgotten. */
bool campaign_stages_set(struct db *db, int64_t id, const struct stages *stages, struct error *err);
/* Stores accepted_failed and accepted_silent of a stage. */
bool campaign_stage_accept(struct db *db, int64_t id, unsigned position, const struct stage *stage,
                           struct error *err);
/* No last_confirmed_ms is later than now_ms from now on. */
bool campaign_stages_clamp(struct db *db, int64_t id, int64_t now_ms, struct error *err);
/* Moves devices of a stage from one outcome to another; OUTCOME_WAITING and OUTCOME_OUT count nothing. */
bool campaign_stage_move(struct db *db, int64_t id, unsigned position, enum campaign_outcome from,
                         enum campaign_outcome to, int64_t devices, int64_t now_ms, struct error *err);
/* *ret_new false: this admin has approved the stage before. */
bool campaign_approve(struct db *db, int64_t id, unsigned position, const char *name, int64_t now_ms,
                      bool *ret_new, struct error *err);

#endif
