/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/firmware_check.h"

#include "base/package_format.h"

static bool check_limit(const struct firmware *firmware, struct error *err)
{
    const struct package_format *format = package_format_find(firmware->format);
    return !format || !format->max_bytes || firmware->max_package_bytes <= format->max_bytes ||
           error_set(
               err, ERROR_INVALID,
               "no module can take a package of format %s above %lld bytes: set max_package_bytes to at "
               "most this value",
               format->name, (long long)format->max_bytes);
}

bool firmware_check_may_go_without_canary(const struct firmware *firmware)
{
    const struct package_format *format = package_format_find(firmware->format);
    return format && format->no_canary;
}

/* Without a canary the first delivery of a package goes to all devices that ask. */
static bool check_canary(const struct firmware *firmware, struct error *err)
{
    return firmware->canary_confirmations > 0 || firmware_check_may_go_without_canary(firmware) ||
           error_set(err, ERROR_INVALID,
                     "only bsdiff can go without a canary, because its updater runs on a server, too: "
                     "set canary_confirmations to at least 1");
}

/* A device with LuatOS or AT firmware would write the package over its flash. */
static bool check_full_packages(const struct firmware *firmware, struct error *err)
{
    return firmware->full_packages == FULL_PACKAGES_OFF || firmware_takes_full_packages(firmware) ||
           error_set(err, ERROR_INVALID,
                     "only devices with CSDK firmware can take full packages: full_packages needs the format "
                     "%s",
                     package_format_table[PACKAGE_FORMAT_EC618_CSDK].name);
}

bool firmware_check(const struct firmware *firmware, struct error *err)
{
    return check_limit(firmware, err) && check_canary(firmware, err) && check_full_packages(firmware, err);
}
