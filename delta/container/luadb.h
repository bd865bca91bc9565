/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A script of LuatOS as it is in flash: LuaDB, an archive of compiled Lua files. Only what decides which cores
   can run it is read here. */
#ifndef DFOTA_DELTA_CONTAINER_LUADB_H
#define DFOTA_DELTA_CONTAINER_LUADB_H

#include "base/bytes.h"

bool luadb_owns(struct bytes script); /* whether it begins as LuaDB does */

/* For which virtual machine the files are compiled: 32 or 64 bits; 0: no compiled file, or different ones. */
unsigned int luadb_bits(struct bytes script);

#endif
