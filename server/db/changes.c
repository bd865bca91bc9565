/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/changes.h"

static unsigned slot_of(int64_t device_id)
{
    return (unsigned)((uint64_t)device_id * 0x9E3779B97F4A7C15u >> (64 - CHANGES_BITS));
}

void changes_note(struct changes *changes, int64_t device_id, uint64_t commit)
{
    atomic_store(device_id ? &changes->device[slot_of(device_id)] : &changes->any_device, commit);
}

bool changes_none_since(const struct changes *changes, int64_t device_id, uint64_t commit)
{
    return atomic_load(&changes->any_device) <= commit &&
           atomic_load(&changes->device[slot_of(device_id)]) <= commit;
}
