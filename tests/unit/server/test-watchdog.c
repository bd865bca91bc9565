/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* systemd hears that the server is alive while the writer and the loops turn, and only then. */
#include "server/watchdog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>
#include <config.h>

#include "base/clock.h"
#include "server/db/writer.h"
#include "server/listeners.h"

#define INTERVAL_MS 40000

static int64_t writer_age_ms, loops_age_ms;
static int notify_fd;

int64_t writer_turned_ms(struct writer *writer)
{
    (void)writer;
    return clock_monotonic_ms() - writer_age_ms;
}

int64_t listeners_turned_ms(struct listeners *listeners)
{
    (void)listeners;
    return clock_monotonic_ms() - loops_age_ms;
}

/* What systemd has received: one message, or "". */
static void receive(char out[64])
{
    ssize_t got = recv(notify_fd, out, 63, MSG_DONTWAIT);
    out[got > 0 ? got : 0] = '\0';
}

static bool tells(struct watchdog *watchdog)
{
    char text[64];
    watchdog->next_ms = 0;
    watchdog_tick(watchdog, NULL, NULL);
    receive(text);
    return strcmp(text, "WATCHDOG=1") == 0;
}

static int listen_as_systemd(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char number[32];
    (void)state;
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "dfota-watchdog-%d", (int)getpid());
    notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(address.sun_path + 1));
    if (notify_fd < 0 || bind(notify_fd, (struct sockaddr *)&address, len) != 0)
        return -1;
    address.sun_path[0] = '@';
    setenv("NOTIFY_SOCKET", address.sun_path, 1);
    snprintf(number, sizeof number, "%d", INTERVAL_MS * 1000);
    setenv("WATCHDOG_USEC", number, 1);
    return 0;
}

static void test_alive(void **state)
{
    struct watchdog watchdog;
    char text[64];
    (void)state;
    watchdog_open(&watchdog);
    assert_int_equal(watchdog.limit_ms, INTERVAL_MS / 2);
    writer_age_ms = loops_age_ms = 0;
    assert_true(tells(&watchdog));
    watchdog_tick(&watchdog, NULL, NULL);
    receive(text);
    assert_string_equal(text, ""); /* not with each tick */
    writer_age_ms = loops_age_ms = INTERVAL_MS / 2 - 5000;
    assert_true(tells(&watchdog));
}

static void test_late(void **state)
{
    struct watchdog watchdog;
    (void)state;
    watchdog_open(&watchdog);
    writer_age_ms = INTERVAL_MS / 2 + 1000;
    loops_age_ms = 0;
    assert_false(tells(&watchdog));
    writer_age_ms = 0;
    loops_age_ms = INTERVAL_MS / 2 + 1000;
    assert_false(tells(&watchdog));
    loops_age_ms = 0;
    assert_true(tells(&watchdog)); /* it turns again */
}

static void test_not_asked(void **state)
{
    struct watchdog watchdog;
    (void)state;
    setenv("WATCHDOG_PID", "1", 1); /* systemd asks another process */
    watchdog_open(&watchdog);
    writer_age_ms = loops_age_ms = 0;
    assert_false(tells(&watchdog));
    unsetenv("WATCHDOG_PID");
}

int main(void)
{
#ifdef HAVE_SYSTEMD
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alive),
        cmocka_unit_test(test_late),
        cmocka_unit_test(test_not_asked),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, listen_as_systemd, NULL);
#else
    puts("1..0 # SKIP without libsystemd");
    return 0;
#endif
}
