/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/host.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"

#define ANSWER_MAX_BYTES 65536

static bool read_answer(struct bytes body, struct host_answer *ret)
{
    json_t *json = json_loadb((const char *)body.ptr, body.len, 0, NULL);
    json_t *next = json_object_get(json, "next");
    const char *confirmed = json_string_value(json_object_get(json, "confirmed_version"));
    const char *url = json_string_value(json_object_get(next, "url"));
    bool ok = confirmed && (json_is_null(next) || url);
    if (ok) {
        snprintf(ret->confirmed, sizeof ret->confirmed, "%s", confirmed);
        ret->next_url = url ? strdup(url) : NULL;
        ok = !url || ret->next_url;
    }
    json_decref(json);
    return ok;
}

static char *write_json(const char *version)
{
    json_t *json = json_pack("{s:s}", "version", version);
    char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    return body;
}

/* The text on the serial line: commands with their echo, messages between blank lines, and the network's
   time after the reboot. */
static char *write_transcript(const char *before, const char *after)
{
    char now[40];
    time_t seconds = time(NULL);
    struct tm utc;
    char *text = NULL;
    gmtime_r(&seconds, &utc);
    strftime(now, sizeof now, "%Y/%m/%d,%H:%M:%S+0,0", &utc);
    if (asprintf(
            &text,
            "ATI\r\r\n%s\r\n\r\nOK\r\nAT+UPGRADE\r\r\nOK\r\n\r\n+UPGRADEIND: 10\r\n\r\n+UPGRADEIND: 50\r\n"
            "\r\n+UPGRADEIND: 100\r\n\r\n^boot.rom'v'!\\n\r\n+QIND: \"FOTA\",\"START\"\r\n"
            "\r\n+QIND: \"FOTA\",\"UPDATING\",100\r\n\r\n+QIND: \"FOTA\",\"END\",0\r\n\r\nRDY\r\n"
            "\r\n+NITZ: %s\r\nATI\r\r\n%s\r\n\r\nOK\r\n",
            before, now, after) < 0)
        return NULL;
    return text;
}

static char *write_request(const struct url *url, const char *type, const char *body)
{
    char *request = NULL;
    if (!body || asprintf(&request,
                          "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                          "Connection: close\r\n\r\n%s",
                          url->path, url->host, type, strlen(body), body) < 0)
        return NULL;
    return request;
}

static bool post(const struct url *report_url, const char *type, const char *body, struct host_answer *ret)
{
    *ret = (struct host_answer){0};
    _cleanup_(cleanup_free) char *request = write_request(report_url, type, body);
    if (!request) {
        snprintf(ret->why, sizeof ret->why, "out of memory");
        return false;
    }
    struct fetch_answer answer;
    const struct fetch_order order = {report_url, slice_of(request), ANSWER_MAX_BYTES, UINT64_MAX, 0, false,
                                      0};
    enum fetch_result result = fetch_run(&order, &answer);
    bool ok = false;
    if (result != FETCH_DONE) {
        ret->broken = result == FETCH_BROKEN;
        snprintf(ret->why, sizeof ret->why, "%s", answer.why);
    } else {
        ret->status = answer.status;
        ok = answer.status == 200 && read_answer(buffer_bytes(&answer.body), ret);
        if (!ok)
            snprintf(ret->why, sizeof ret->why, "%d %.*s", answer.status,
                     (int)(answer.body.len < 120 ? answer.body.len : 120),
                     answer.body.ptr ? (const char *)answer.body.ptr : "");
    }
    buffer_free(&answer.body);
    return ok;
}

bool host_report(const struct url *report_url, const char *version, struct host_answer *ret)
{
    _cleanup_(cleanup_free) char *body = write_json(version);
    return post(report_url, "application/json", body, ret);
}

bool host_send_transcript(const struct url *report_url, const char *before, const char *after,
                          struct host_answer *ret)
{
    _cleanup_(cleanup_free) char *body = write_transcript(before, after);
    return post(report_url, "text/plain", body, ret);
}

bool host_full_name(const char *firmware, const char *release, char *out, size_t out_size)
{
    static const char maker[] = "AirM2M_";
    int len;
    const char *rest =
        firmware && slice_starts(slice_of(firmware), maker) ? strchr(firmware + sizeof maker - 1, '_') : NULL;
    if (!firmware)
        len = snprintf(out, out_size, "%s", release);
    else if (rest) /* AirM2M_780E_V1147_LTE_AT: the version follows the name of the chip */
        len = snprintf(out, out_size, "%.*s_V%s%s", (int)(rest - firmware), firmware, release, rest);
    else
        len = snprintf(out, out_size, "%s_V%s", firmware, release);
    return len >= 0 && (size_t)len < out_size;
}
