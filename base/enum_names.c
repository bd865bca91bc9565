/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "base/enum_names.h"

bool enum_find(const struct enum_names *names, struct slice name, unsigned *ret)
{
    for (unsigned value = 0; value < names->count; value++)
        if (names->name[value] && slice_is(name, names->name[value])) {
            *ret = value;
            return true;
        }
    return false;
}
