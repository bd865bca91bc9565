/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <stdio.h>
#include <string.h>
#include "at.h"

#ifndef WAIT_S        /* the tests wait less */
#define WAIT_S    300 /* before the next try: most packages are made in a few minutes */
#define RESTART_S 900 /* limit for the silence while the module writes the new firmware */
#endif
#define DOWNLOAD_S 1800 /* limit for one download */
#define TRIES      24   /* in one round */
#define REFUSED    (-1003)

enum state { SYNC, IDENTIFY, REPORT, START, DOWNLOAD, RESTART, END };

static struct {
    char link[200], before[64]; /* before: the version at the start of the download */
    int tries;
    bool failed;
    enum round round;
} host;

static enum state finish(enum round round, const char *why)
{
    say("end:", why);
    host.round = round;
    return END;
}

static enum state retry(enum state state, const char *why)
{
    if (++host.tries > TRIES)
        return finish(ROUND_LATER, why);
    say("waits:", why);
    for (int seconds = 0; seconds < WAIT_S; seconds++)
        at_read_line(SECOND);
    return state;
}

/* Commands may be unanswered while the module restarts, and an answer may come after its time. */
static enum state sync(void)
{
    for (int lines = 0; lines < 100 && at_read_line(SECOND); lines++)
        continue;
    for (int commands = 0; commands < 2; commands++) /* the first one may only wake the module */
        if (at_command("ATE1"))
            return IDENTIFY;
    return retry(SYNC, "the module does not answer");
}

static enum state identify(void)
{
    at.version[0] = '\0';
    if (!at_command("ATI") || !at.version[0])
        return retry(SYNC, "the module does not tell its version");
    say("runs", at.version);
    if (at.percent == 100 && strcmp(at.version, host.before) == 0)
        host.failed = true;
    return REPORT;
}

/* The transcript has the version. The answer has the next link, or null and the reason. */
static enum state report(void)
{
    static char url[sizeof host.link + 8], why[200], answer[4096];
    snprintf(url, sizeof url, "%.*s/report", (int)(strrchr(host.link, '/') - host.link), host.link);
    int status = http_post(url, at.text, at.text_len, answer, sizeof answer);
    if (status == 404)
        return finish(ROUND_FAILED, "the server does not know this link");
    if (status != 200)
        return retry(REPORT, "the server did not take the transcript");
    at.text_len = 0;
    if (host.failed)
        return finish(ROUND_FAILED, "the upgrade failed");
    const char *next = strstr(answer, "\"next\":{"), *url_in = next ? strstr(next, "\"url\":\"") : NULL;
    const char *reason = strstr(answer, "\"reason\":\"");
    if (url_in && sscanf(url_in, "\"url\":\"%199[^\"\r\n]", host.link) == 1)
        return START;
    if (reason && sscanf(reason, "\"reason\":\"%199[^\"]", why) == 1)
        return finish(ROUND_DONE, why);
    return retry(REPORT, "the answer has no reason");
}

static enum state start(void)
{
    char text[sizeof host.link + 32];
    snprintf(text, sizeof text, "AT+UPGRADE=\"URL\",\"%s\"", host.link);
    if (!at_command(text) || !at_command("ATI")) /* the next transcript begins with the version, too */
        return retry(SYNC, "the module does not take the link");
    memcpy(host.before, at.version, sizeof host.before);
    at.percent = at.error = 0;
    at.restarted = false;
    bool taken = at_command("AT+UPGRADE") || at.percent || at.error; /* the OK may be late */
    return taken ? DOWNLOAD : retry(SYNC, "the module refuses AT+UPGRADE");
}

static enum state download(void)
{
    for (int s = 0; s < DOWNLOAD_S && !at.error && !at.restarted && at.percent < 100; s++)
        at_read_line(SECOND);
    if (at.percent == 100 && !at.error)
        return RESTART;
    if (at.percent < 10 && !at.restarted) /* nothing was downloaded */
        return retry(REPORT, at.error == REFUSED ? "the package is still being made" : "no download began");
    host.failed = true;
    return SYNC;
}

/* An error after 100 %: the module has refused the package, and does not restart. */
static enum state restart(void)
{
    say("downloaded from", host.before);
    for (int s = 0; s < RESTART_S && !at.error && !at.restarted; s++)
        at_read_line(SECOND);
    return SYNC;
}

enum round host_run(const char *link)
{
    static enum state (*const steps[END])(void) = {
        [SYNC] = sync,   [IDENTIFY] = identify, [REPORT] = report,
        [START] = start, [DOWNLOAD] = download, [RESTART] = restart};
    enum state state = SYNC;
    memset(&at, 0, sizeof at);
    memset(&host, 0, sizeof host);
    if (strncmp(link, "http://", 7) != 0 || !strchr(link + 7, '/') || strlen(link) >= sizeof host.link)
        state = finish(ROUND_FAILED, "this is not a link");
    else
        strcpy(host.link, link);
    while (state != END)
        state = steps[state]();
    return host.round;
}
