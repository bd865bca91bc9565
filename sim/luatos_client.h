/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The update libraries of LuatOS, one row each: what a request contains in which order, how long the library waits,
   and what it does with the result. */
#ifndef DFOTA_SIM_LUATOS_CLIENT_H
#define DFOTA_SIM_LUATOS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buffer.h"
#include "sim/release.h"

struct luatos_client {
    const char *name;  /* value of --client */
    const char *path;  /* on the vendor's platform */
    const char *query; /* {id} is a whole parameter; {key} {name} {version} {model} {project} {core} {script}
                          {core_id} are values */
    int64_t check_ms, download_ms; /* for the whole exchange */
    bool two_steps;                /* asks for JSON, and downloads from the URL in the answer */
    bool id_by_model;              /* false: by the hardware that the firmware finds */
    bool escapes;                  /* some characters of the values */
    bool hashes_name;              /* compares sha256 with the hash of the name of the file */
    bool sends_json;               /* the result is sent as JSON too */
    bool judges; /* restarts, compares what runs with what was announced, and only then sends the result */
    int report_tries; /* with a pause of LUATOS_REPORT_PAUSE_MS */
};

#define LUATOS_REPORT_MS       30000
#define LUATOS_REPORT_PAUSE_MS 2000

const struct luatos_client *luatos_client_find(const char *name); /* NULL: unknown name */

/* Whether packages for this model are written to flash as they are, without the head that LuatOS knows. */
bool luatos_model_takes_whole(const char *model);

struct luatos_words { /* what a module says of itself; texts are borrowed */
    const char *key, *firmware, *model;
    const char *id; /* an IMEI or a MAC; hex digits of a chip's unique id */
    char project[128];
    char core[RELEASE_SIZE], script[RELEASE_SIZE]; /* "1114" and "001.000.002" */
    int64_t core_id;
};

/* Splits CORE.x.y.z or CORE.x.z into core and script. False: it is neither. */
bool luatos_read_version(const char *version, struct luatos_words *words);

/* Appends path and query. `path` is that of the server's URL: a path that ends in a slash gets the vendor's path, to
   any other path the query is appended as it is. ERROR_INVALID: the library sends no request from this model;
   ERROR_INTERNAL: no memory. */
bool luatos_write_target(const struct luatos_client *client, const char *path,
                         const struct luatos_words *words, struct buffer *ret, struct error *err)
    __attribute__((warn_unused_result));

#endif
