/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/progress.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>
#include "base/clock.h"
#include "base/text.h"

#define EVERY_MS 100
#define BAR      20 /* characters */

static int64_t shown_ms;
static bool shown;

static bool is_due(void)
{
    int64_t now = clock_boot_ms();
    if (!isatty(STDERR_FILENO) || (shown && now - shown_ms < EVERY_MS))
        return false;
    shown_ms = now;
    shown = true;
    return true;
}

static void print(const char *label, const char *state)
{
    fputs("\r\033[K", stderr);
    text_put(stderr, label);
    fputs("  ", stderr);
    text_put(stderr, state);
    fflush(stderr);
}

void progress_show(const char *label, int64_t done_bytes, int64_t total_bytes)
{
    char state[64], bar[BAR + 1];
    if (!is_due())
        return;
    if (total_bytes > 0) {
        int full = (int)(done_bytes * BAR / total_bytes);
        for (int i = 0; i < BAR; i++)
            bar[i] = i < full ? '#' : '.';
        bar[BAR] = '\0';
        snprintf(state, sizeof state, "[%s] %3d %% of %" PRId64 " KB", bar,
                 (int)(done_bytes * 100 / total_bytes), (total_bytes + 1023) / 1024);
    } else
        snprintf(state, sizeof state, "%" PRId64 " KB", done_bytes / 1024);
    print(label, state);
}

void progress_say(const char *label, const char *state)
{
    if (is_due())
        print(label, state);
}

void progress_end(void)
{
    if (shown)
        fputs("\r\033[K", stderr);
    shown = false;
}
