/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/container/luadb.h"

#define MARK "\x01\x04\x5A\xA5\x5A\xA5" /* the first field: a magic number of four bytes */

/* The head of a compiled file of Lua 5.3. At INTEGER and after it: the size of an integer and of a number. */
#define LUAC    "\x1BLua\x53"
#define INTEGER 15

bool luadb_owns(struct bytes script)
{
    return bytes_begin_with(script, MARK, sizeof MARK - 1);
}

unsigned int luadb_bits(struct bytes script)
{
    unsigned int bits = 0;
    if (script.len == 0)
        return 0;
    const uint8_t *at = script.ptr, *end = script.ptr + script.len;
    while (at < end && (at = memmem(at, (size_t)(end - at), LUAC, sizeof LUAC - 1))) {
        if (end - at < INTEGER + 2)
            break;
        unsigned int one = at[INTEGER] == at[INTEGER + 1] ? 8U * at[INTEGER] : 0;
        if ((one != 32 && one != 64) || (bits && bits != one))
            return 0;
        bits = one;
        at += INTEGER;
    }
    return bits;
}
