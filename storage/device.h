/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices: (product, kind of id, normalised id), and what is known about each. */
#ifndef DFOTA_STORAGE_DEVICE_H
#define DFOTA_STORAGE_DEVICE_H

#include "storage/db.h"
#include "upgrade/decision.h"
#include "upgrade/filter_device.h"
#include "upgrade/grade.h"
#include "upgrade/identity.h"
#include "upgrade/name.h"
#include "upgrade/tag.h"
#include "upgrade/version.h"

#define NOTICE_SIZE 320
#define NOTE_SIZE   201 /* 1 to 200 bytes and NUL */
#define ORIGIN_SIZE 48  /* an address, "link", "others" */

/* The source of a report. */
enum reported_by {
    REPORTED_BY_NONE,
    REPORTED_BY_CHECK_IN,
    REPORTED_BY_HOST,
    REPORTED_BY_TRANSCRIPT,
    REPORTED_BY_LIST /* an admin's list of reports */
};
extern const struct enum_names reported_by_names; /* "", "check-in", "host-report", "transcript", "list" */

/* How a device asked last. */
enum asked_over {
    ASKED_OVER_NONE, /* not known */
    ASKED_OVER_DIALECT,
    ASKED_OVER_CORE, /* the dialect, with checkin.core_leads */
    ASKED_OVER_TURNKEY,
    ASKED_OVER_LINK
};
extern const struct enum_names asked_over_names; /* "", "dialect", "core", "turnkey", "link" */

/* Whether a device takes part. */
enum device_state {
    DEVICE_ACTIVE,
    DEVICE_HELD,   /* not known before its first check-in: an admin must admit it */
    DEVICE_RETIRED /* it gets no package, and is not in counts and lists */
};
extern const struct enum_names device_state_names; /* "active", "held", "retired" */

/* A report of a lower grade than the confirmed version. It decides nothing. */
struct claim {
    char version[VERSION_TEXT_SIZE]; /* "": there is no claim */
    int64_t firmware_id;
    int64_t at_ms; /* when it was first made */
    enum reported_by by;
    enum grade grade;
    char origin[ORIGIN_SIZE]; /* where it came from, "": not known */
};

struct device {
    int64_t id, product_id, firmware_id;
    enum id_kind id_kind;
    char device[IDENTITY_SIZE];
    /* The last report of the device or its host. Nothing else changes these. "" and 0: no report yet. */
    char confirmed_version[VERSION_TEXT_SIZE];
    int64_t confirmed_ms;
    enum reported_by confirmed_by;
    enum grade confirmed_grade;
    /* The image of the confirmed version that it runs, by its hash. Zero: not known; only matters among several builds. */
    struct sha256 build;
    struct claim claim;
    char asked_version[VERSION_TEXT_SIZE]; /* the base that the last answer was for, "": none */
    enum asked_over asked_over;
    int64_t asked_link;                             /* over a link: its id */
    char asked_said[VERSION_TEXT_SIZE];             /* the version that the request named, "": none */
    char asked_firmware[FIRMWARE_NAME_SIZE];        /* not over a link: the firmware that the request named */
    int64_t first_seen_ms, last_seen_ms, check_ins; /* 0: never */
    int64_t last_code; /* of the last answer: 200, 206 or a code of the dialect; 0: no answer yet */
    char last_reason[REASON_SIZE];
    int64_t last_answer_ms;
    bool blocked;
    char notice[NOTICE_SIZE]; /* for the admin, "": none */
    char tags[TAGS_SIZE];     /* upgrade/tag.h */
    char note[NOTE_SIZE];     /* of an admin, "": none */
    enum device_state state;
    int64_t state_ms;    /* since when it is held or retired */
    int64_t replaced_by; /* retired: the id of the device in its place; 0: none */
    int64_t held_out_ms; /* since when it is held out of all campaigns; 0: it is not */
};

/* The evidence of the confirmed version is better than a statement that anybody could make who knows the
   id. */
bool device_is_authenticated(const struct device *device);
/* device_update() would store the same for both. */
bool device_equal(const struct device *a, const struct device *b);

struct identity device_identity(const struct device *device);
/* The device as filters see it. Borrows texts of the device, and `firmware`, the name of its firmware. */
void device_subject(const struct device *device, const char *firmware, struct filter_subject *ret);

/* Finds a device by its id. 14, 15 and 16 digits of one IMEI find the same row; an exact match comes
   first. */
bool device_find(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                 bool *ret_found, struct error *err);
/* Sets the times that are ahead of now_ms to now_ms. True when it changed one. */
bool device_clamp(struct device *device, int64_t now_ms);
/* Finds a device by what an admin wrote: by the first of identity_readings() that exists. */
bool device_look_up(struct db *db, int64_t product_id, struct slice text, struct device *ret, bool *ret_found,
                    struct error *err);
/* As device_find(); ERROR_DEVICE_NOT_FOUND when there is no such device. */
bool device_get(struct db *db, int64_t product_id, const struct identity *identity, struct device *ret,
                struct error *err);
bool device_by_id(struct db *db, int64_t id, struct device *ret, bool *ret_found, struct error *err);
/* Adds a device of which only identity and firmware are known; fills *ret. */
bool device_add(struct db *db, int64_t product_id, const struct identity *identity, int64_t firmware_id,
                struct device *ret, struct error *err);
/* Stores all fields but the identity, and last_seen_ms and check_ins, which device_seen() counts. */
bool device_update(struct db *db, const struct device *device, struct error *err);
/* Stores what a check-in has changed, and counts the check-in as device_seen() does. *before is what is stored; NULL: not
   known. */
bool device_check_in(struct db *db, const struct device *before, const struct device *device, int64_t at_ms,
                     struct error *err);
/* Adds check-ins to a device, and the pause before them to its rhythm (upgrade/rhythm.h). */
bool device_seen(struct db *db, int64_t id, int64_t check_ins, int64_t last_seen_ms, struct error *err);

enum device_sort {
    DEVICES_BY_ID,
    DEVICES_SEEN_FIRST, /* those that were never seen, then those that were seen longest ago */
    DEVICES_SEEN_LAST   /* the reverse */
};

/* The rows of one walk over devices. */
struct device_walk {
    int64_t product_id;
    int64_t firmware_id; /* 0: of any firmware of the product. Only with DEVICES_BY_ID */
    enum device_state state;
    enum device_sort sort;
    int64_t after;    /* the id of the last device before this walk, else 0 or, backwards, INT64_MAX */
    int64_t after_ms; /* when that device was last seen; only without DEVICES_BY_ID */
    int64_t most;     /* reads at most 2 * `most` rows */
};

/* Fills *row and *shared (two modules seem to use the id), and calls each(cls), for every device. */
bool device_walk(struct db *db, const struct device_walk *walk, struct device *row, bool *shared,
                 db_each *each, void *cls, struct error *err);
/* Active devices; those with a claim. */
bool device_count(struct db *db, int64_t *ret, struct error *err);
bool device_count_conflicts(struct db *db, int64_t *ret, struct error *err);

#endif
