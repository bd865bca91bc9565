/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices: (product, kind of id, normalised id), and what is known of each. */
#ifndef DFOTA_STORAGE_DEVICE_H
#define DFOTA_STORAGE_DEVICE_H

#include "storage/db.h"
#include "upgrade/decision.h"
#include "upgrade/grade.h"
#include "upgrade/identity.h"
#include "upgrade/name.h"
#include "upgrade/version.h"

#define NOTICE_SIZE       160
#define CONFIRMED_BY_SIZE 16
#define ORIGIN_SIZE       48 /* an address, "link", "others" */

/* What a lower grade says than that of the confirmed version. It decides nothing. */
struct claim {
    char version[VERSION_TEXT_SIZE]; /* "": there is none */
    int64_t firmware_id;
    int64_t at_ms; /* when it was made first */
    char by[CONFIRMED_BY_SIZE], grade[GRADE_SIZE];
    char origin[ORIGIN_SIZE]; /* from where, "": not known */
};

struct device {
    int64_t id, product_id, firmware_id;
    char id_kind[5];
    char device[IDENTITY_SIZE];
    /* What it, or its host, reported last: nothing else moves these. "" and 0: never. */
    char confirmed_version[VERSION_TEXT_SIZE];
    int64_t confirmed_ms;
    char confirmed_by[CONFIRMED_BY_SIZE]; /* "check-in", "host-report", "transcript", "list" */
    char confirmed_grade[GRADE_SIZE];     /* grade_name() */
    struct claim claim;
    char asked_version[VERSION_TEXT_SIZE]; /* the base it was last answered for, "" */
    /* How it asked last. */
    char asked_over
        [8]; /* "dialect", "core" (the same, with checkin.core_leads), "turnkey", "link"; "": not known */
    int64_t asked_link;                             /* over a link: its id */
    char asked_said[VERSION_TEXT_SIZE];             /* the version that the request named, "": none */
    char asked_firmware[FIRMWARE_NAME_SIZE];        /* not over a link: the firmware that the request named */
    int64_t first_seen_ms, last_seen_ms, check_ins; /* 0: never */
    int64_t last_code; /* of the answer given last: 200, 206 or the dialect's; 0: none */
    char last_reason[REASON_SIZE];
    int64_t last_answer_ms;
    int64_t blocked;
    char notice[NOTICE_SIZE]; /* for the admin, "": none */
};

struct guard {
    char origin[ORIGIN_SIZE]; /* under which it counts */
    int64_t begun;            /* packages */
    int64_t closed;
};

/* Not just anybody who knows the id could have said what it runs. */
bool device_is_authenticated(const struct device *device);

/* By its id; 14, 15 and 16 digits of one IMEI find the same row, an exact match before any other. */
bool device_find(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                 bool *ret_found, struct error *err);
/* Its times, where they lie ahead of now_ms, become now_ms. True where one did. */
bool device_clamp(struct device *device, int64_t now_ms);
/* By what an admin wrote: the first of identity_readings() that is there. */
bool device_look_up(struct db *db, int64_t product_id, struct slice text, struct device *ret, bool *ret_found,
                    struct error *err);
/* As device_find; ERROR_DEVICE_NOT_FOUND when it is not there. */
bool device_get(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                struct error *err);
bool device_by_id(struct db *db, int64_t id, struct device *ret, bool *ret_found, struct error *err);
/* A device with no more known than its identity and firmware; fills *ret. */
bool device_add(struct db *db, int64_t product_id, const struct identity *identity, int64_t firmware_id,
                struct device *ret, struct error *err);
/* Stores every field behind `device`, but last_seen_ms and check_ins, which device_seen() counts. */
bool device_update(struct db *db, const struct device *device, struct error *err);
/* Adds check-ins to a device. */
bool device_seen(struct db *db, int64_t id, int64_t check_ins, int64_t last_seen_ms, struct error *err);

struct device_filter {
    int64_t firmware_id; /* 0: of any */
    bool only_noticed, only_conflicts;
};

/* A page of devices with id > after, in order of id. *ret is the caller's (free). */
/* How many a whole list of these has. */
bool device_count_listed(struct db *db, int64_t product_id, const struct device_filter *filter, int64_t *ret,
                         struct error *err);
bool device_list(struct db *db, int64_t product_id, const struct device_filter *filter, int64_t after,
                 int64_t limit, struct device **ret, size_t *ret_count, struct error *err);
bool device_count(struct db *db, int64_t *ret, struct error *err);
bool device_count_conflicts(struct db *db, int64_t *ret, struct error *err); /* devices with a claim */

/* The loop guard: packages begun (not resumed) for a device, by origin. Of one device 32 origins are told apart; all
   that come later count together. The origin "" counts all of them, and is closed when any is. Counted is what was begun
   since since_ms; what is dated ahead of now_ms does not count. */
bool device_guard_load(struct db *db, int64_t id, const char *origin, int64_t since_ms, int64_t now_ms,
                       struct guard *ret, struct error *err);
bool device_begun_add(struct db *db, int64_t id, const char *origin, int64_t now_ms,
                      struct error *err); /* drops what is older than a day, or ahead */
bool device_guard_close(struct db *db, int64_t id, const char *origin, struct error *err);
bool device_guard_open(struct db *db, int64_t id, struct error *err); /* forgets all of it */
/* For whom it is closed; *ret is the caller's (free). */
bool device_guard_list(struct db *db, int64_t id, char (**ret)[ORIGIN_SIZE], size_t *ret_count,
                       struct error *err);

#endif
