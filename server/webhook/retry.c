/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/retry.h"

#include "base/clock.h"

int64_t retry_delay_ms(int64_t tries, uint32_t random)
{
    int64_t delay_ms = RETRY_FIRST_MS;
    for (int64_t i = 1; i < tries && delay_ms < RETRY_LONGEST_MS; i++)
        delay_ms *= 2;
    if (delay_ms > RETRY_LONGEST_MS)
        delay_ms = RETRY_LONGEST_MS;
    return delay_ms + random % (delay_ms / 4 + 1);
}

bool retry_is_over(int64_t since_ms, int64_t now_ms)
{
    return now_ms - clock_clamp(since_ms, now_ms) >= RETRY_AGE_MS;
}
