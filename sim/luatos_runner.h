/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The parts of a LuatOS module that all update libraries use: what runs, one exchange, and how an ask ends. Functions
   that return bool return whether the module goes on. */
#ifndef DFOTA_SIM_LUATOS_RUNNER_H
#define DFOTA_SIM_LUATOS_RUNNER_H

#include "sim/fetch.h"
#include "sim/luatos_client.h"
#include "sim/luatos_flash.h"
#include "sim/module.h"
#include "sim/option.h"

#define RUNNER_TRACE(kind, ...) trace_##kind(&run->plan->trace, run->words.id, __VA_ARGS__)

struct luatos_runner {
    const struct luatos_client *client;
    const struct plan *plan;
    bool bare;      /* the URL is asked as it is */
    uint64_t room;  /* the largest package */
    uint64_t hurry; /* timeouts and pauses are so many times shorter */
    uint64_t kind;  /* of --core-id; or CORE_ID_NONE */
    struct luatos_words words;
    struct luatos_flash flash;
    const struct image *image;
    bool cut_done;
    int failures, code; /* the last code of a refusal */
    uint64_t asks;
    bool told; /* the server knows which version runs */
    enum outcome outcome;
};

/* The module runs this image now. False: its version is neither CORE.x.y.z nor CORE.x.z. */
bool runner_become(struct luatos_runner *run, const struct image *image);

/* The module restarts, and its bootloader applies what is written. */
bool runner_start_again(struct luatos_runner *run);

/* Sends one request and reads the answer; the caller frees answer->body. `body` is JSON; NULL: none. */
enum fetch_result runner_exchange(struct luatos_runner *run, const char *method, const struct url *url,
                                  const struct buffer *target, const char *body, int64_t timeout_ms,
                                  bool is_package, struct fetch_answer *answer);
void runner_pause_ms(const struct luatos_runner *run, int64_t ms);

/* Writes the package to flash; see luatos_flash_write(). */
enum luatos_result runner_write(struct luatos_runner *run, const struct fetch_answer *answer,
                                char why[LUATOS_WHY_SIZE]);

/* The module loses power in the middle of the download. */
bool runner_lose_power(struct luatos_runner *run, const struct fetch_answer *answer);

bool runner_has_reached(
    const struct luatos_runner *run); /* runs the version of --until, and the server knows it */
bool runner_end(struct luatos_runner *run, enum outcome outcome, const char *detail); /* false */
/* After an answer that would come again: ends, unless --asks is given. */
bool runner_settle(struct luatos_runner *run, enum outcome outcome, const char *why);
bool runner_refuse(struct luatos_runner *run, int code);      /* after a refusal of the server */
bool runner_fail(struct luatos_runner *run, const char *why); /* after a failure of the network */

#endif
