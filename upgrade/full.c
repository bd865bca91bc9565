/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/full.h"

#include <stdio.h>

#include "base/package_format.h"

#define CORE_MAX 999999999u /* as every number of a version */

static bool check_name(const struct full_head *head, const struct version *named, struct error *err)
{
    char text[VERSION_TEXT_SIZE];
    version_format(named, text);
    if (named->count < 2)
        return error_set(err, ERROR_NOT_AN_IMAGE,
                         "this is a LuatOS package: its version must be CORE.X.Z, but %s has no core number",
                         text);
    if (head->leads_to_core != 0 && head->leads_to_core != named->part[0])
        return error_set(err, ERROR_NOT_AN_IMAGE,
                         "this LuatOS package installs core %u, but version %s has another core",
                         head->leads_to_core, text);
    return true;
}

bool full_core(const struct full_head *head, const struct version *named, char ret_core[VERSION_TEXT_SIZE],
               struct error *err)
{
    uint32_t allows = head->allows_core;

    if (!check_name(head, named, err))
        return false;
    if (!head->changes_core && allows != 0 && allows != named->part[0])
        return error_set(err, ERROR_NOT_AN_IMAGE,
                         "this LuatOS script package is for core %u and does not change the core: its "
                         "version must begin with %u",
                         allows, allows);
    if (head->changes_core && (allows == 0 || allows > CORE_MAX))
        return error_set(
            err, ERROR_NOT_AN_IMAGE,
            "this LuatOS package changes the core, but its header does not name the core that it "
            "applies to: upload it as a package between two versions");
    snprintf(ret_core, VERSION_TEXT_SIZE, "%u", head->changes_core ? allows : named->part[0]);
    return true;
}

static bool differ(int64_t a, int64_t b)
{
    return a && b && a != b;
}

static bool exceeds(int64_t bytes, int64_t room)
{
    return bytes && room && bytes > room;
}

/* How much of a packed script the device keeps. 0: nothing is known. */
static int64_t kept_limit(const struct full_script *base)
{
    return base->kept ? base->kept : PACKAGE_FORMAT_KEPT_AT_LEAST(base->area);
}

bool full_fits(const struct full_script *package, const struct full_script *base, char why[FULL_WHY_SIZE])
{
    why[0] = '\0';
    if (differ(package->address, base->address))
        snprintf(why, FULL_WHY_SIZE,
                 "its script goes to %llx in flash, and the device has its script at %llx",
                 (unsigned long long)package->address, (unsigned long long)base->address);
    else if (exceeds(package->bytes, base->area))
        snprintf(why, FULL_WHY_SIZE, "its script has %lld bytes, and the script area of the device has %lld",
                 (long long)package->bytes, (long long)base->area);
    else if (exceeds(package->packed, kept_limit(base)))
        snprintf(why, FULL_WHY_SIZE, "its packed script has %lld bytes, and %s %lld",
                 (long long)package->packed,
                 base->kept ? "the device keeps at most"
                            : "the release does not state how much the device keeps; all known builds keep",
                 (long long)kept_limit(base));
    else if (differ(package->bits, base->bits))
        snprintf(why, FULL_WHY_SIZE,
                 "its script is compiled for %lld bits, and the core of the device has %lld",
                 (long long)package->bits, (long long)base->bits);
    return !why[0];
}

bool full_takes(const char *core, const struct version *running)
{
    char own[VERSION_TEXT_SIZE];
    struct version first = {.part = {running->part[0]}, .count = 1};
    version_format(&first, own);
    return running->count > 1 && strcmp(core, own) == 0;
}
