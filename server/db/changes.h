/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which commit was the last that may have changed what the answer for a device depends on. Devices share numbers, so the answer
   may be "changed" without need, and never the other way round. One thread notes, any thread asks. */
#ifndef DFOTA_SERVER_DB_CHANGES_H
#define DFOTA_SERVER_DB_CHANGES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define CHANGES_BITS 14

struct changes { /* zeroed at first */
    _Atomic uint64_t any_device;
    _Atomic uint64_t device[1 << CHANGES_BITS];
};

/* device_id 0: any device. To be called before the commit counts. */
void changes_note(struct changes *changes, int64_t device_id, uint64_t commit);
/* No commit after this one has changed the device. */
bool changes_none_since(const struct changes *changes, int64_t device_id, uint64_t commit);

#endif
