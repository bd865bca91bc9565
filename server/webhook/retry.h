/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* When an event that could not be delivered is tried again. Pure. */
#ifndef DFOTA_SERVER_WEBHOOK_RETRY_H
#define DFOTA_SERVER_WEBHOOK_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#define RETRY_FIRST_MS   5000LL
#define RETRY_LONGEST_MS (3600LL * 1000)
#define RETRY_LATEST_MS  (RETRY_LONGEST_MS + RETRY_LONGEST_MS / 4) /* with the random part */
#define RETRY_AGE_MS     (3 * 24 * 3600LL * 1000)

/* After so many failed tries (at least 1): 5 s, 10 s, 20 s, … 1 h, and a random part of up to a quarter more. */
int64_t retry_delay_ms(int64_t tries, uint32_t random);
/* It has waited since since_ms, and is given up when a try fails now. */
bool retry_is_over(int64_t since_ms, int64_t now_ms);

#endif
