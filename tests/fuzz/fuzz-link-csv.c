/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as the list of a bulk call, of links, reports and devices. What is taken is in
   order; what is refused names a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "server/admin/device_csv.h"
#include "server/admin/link_csv.h"
#include "server/admin/report_csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void check(const struct link_order *order)
{
    struct identity again;
    struct version version;
    if (!identity_normalise(order->identity.kind, slice_of(order->identity.id), &again) ||
        strcmp(again.id, order->identity.id) != 0 || order->version[0] == '\0' ||
        !version_parse(slice_of(order->version), &version))
        abort();
}

/* The same as a list of reports. */
static void read_reports(struct slice text)
{
    struct report_order *orders = NULL;
    size_t count = 0;
    struct error err = {ERROR_CODES, ""};
    if (!report_csv_parse(text, "AirM2M_780E_LTE_AT", 1000, &orders, &count, NULL, &err)) {
        if (orders || (err.code != ERROR_TOO_LARGE && strncmp(err.text, "line ", 5) != 0))
            abort();
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (!orders[i].version.count || orders[i].at_ms < 0 || orders[i].at_ms > 1000 || orders[i].why)
            abort();
    free(orders);
}

static void read_devices(struct slice text)
{
    struct device_csv list = {.rows = NULL};
    struct error err = {ERROR_CODES, ""};
    if (!device_csv_parse(text, &list, NULL, &err) && strncmp(err.text, "line ", 5) != 0)
        abort();
    for (size_t i = 0; i < list.count; i++)
        if (!list.rows[i].line || strlen(device_csv_text(&list, list.rows[i].note)) > 200)
            abort();
    device_csv_free(&list);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct link_order *orders = NULL;
    size_t count = 0;
    struct error err = {ERROR_CODES, ""};
    struct slice text = {(const char *)input, len};
    read_devices(text);
    if (!link_csv_parse(text, "AirM2M_780E_LTE_AT", "1138", &orders, &count, NULL, &err)) {
        if (orders || (err.code != ERROR_TOO_LARGE && strncmp(err.text, "line ", 5) != 0))
            abort();
        read_reports(text);
        return 0;
    }
    for (size_t i = 0; i < count; i++)
        check(&orders[i]);
    free(orders);
    read_reports(text);
    return 0;
}
