/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* EC618 payloads from the command line, without header and wrapper, for tests that compare them with
   another reader, and for the benchmark. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"
#include "base/little.h"
#include "delta/container/sector.h"
#include "delta/container/luatos.h"
#include "delta/container/wrapper.h"
#include "delta/ec618/module.h"
#include "delta/ec618/payload.h"
#include "delta/file.h"

#define IMAGE_MAX ((size_t)1 << 26)

static const char usage[] =
    "ec618-payload make OLD NEW OUT quick|good|best [closed] [NorO|RvsO]\n"
    "ec618-payload apply OLD PAYLOAD NEW\n"
    "ec618-payload outages OLD PAYLOAD NEW\n"
    "ec618-payload describe PAYLOAD\n"
    "ec618-payload frame FILE\n";

static bool parse_options(int argc, char **argv, struct ec618_options *options)
{
    static const char *const efforts[] = {"quick", "good", "best"};
    for (int i = 0; i < argc; i++) {
        bool known = false;
        for (unsigned int effort = 0; effort < 3; effort++)
            if (strcmp(argv[i], efforts[effort]) == 0) {
                options->effort = (enum ec618_effort)effort;
                known = true;
            }
        if (strcmp(argv[i], "closed") == 0)
            known = options->closed_last_part = true;
        if (strcmp(argv[i], "NorO") == 0 || strcmp(argv[i], "RvsO") == 0) {
            known = options->only_order = true;
            options->order = argv[i][0] == 'N' ? EC618_FORWARD : EC618_REVERSE;
        }
        if (!known)
            return false;
    }
    return true;
}

/* Prints the processor time in seconds. */
static bool make(char **path, struct ec618_options options, struct error *err)
{
    _cleanup_(buffer_free) struct buffer old = {0}, new = {0}, out = {0};
    if (!file_load(path[0], IMAGE_MAX, &old, err) || !file_load(path[1], IMAGE_MAX, &new, err))
        return false;
    clock_t began = clock();
    if (!ec618_payload_make(buffer_bytes(&old), buffer_bytes(&new), options, &out, err))
        return false;
    printf("%.2f\n", (double)(clock() - began) / CLOCKS_PER_SEC);
    return file_store(path[2], buffer_bytes(&out), err);
}

static bool apply(char **path, struct error *err)
{
    _cleanup_(buffer_free) struct buffer old = {0}, payload = {0}, out = {0};
    return file_load(path[0], IMAGE_MAX, &old, err) && file_load(path[1], IMAGE_MAX, &payload, err) &&
           ec618_module_apply(buffer_bytes(&old), buffer_bytes(&payload), IMAGE_MAX, &out, err) &&
           file_store(path[2], buffer_bytes(&out), err);
}

struct outage { /* the power fails at this operation, counted over all runs */
    unsigned int operations, at;
    enum ec618_power how;
};

static enum ec618_power supply(void *context, enum ec618_flash operation, unsigned int place)
{
    struct outage *outage = context;
    (void)operation;
    (void)place;
    return outage->operations++ == outage->at ? outage->how : EC618_POWER_STAYS;
}

static bool run_through(struct bytes old, struct bytes payload, struct bytes new, struct outage *outage,
                        struct error *err)
{
    struct ec618_module *module;
    bool done = false, ok = ec618_module_new(old, payload, IMAGE_MAX, &module, err);
    if (!ok)
        return false;
    for (int runs = 0; ok && !done && runs < 3; runs++)
        ok = ec618_module_run(module, (struct ec618_supply){supply, outage}, &done, err);
    if (ok && !(done && bytes_equal(ec618_module_image(module), new)))
        ok = error_set(err, ERROR_INTERNAL, "the power failed at operation %u, and the image is wrong",
                       outage->at);
    ec618_module_free(module);
    return ok;
}

/* The power fails during and after each flash operation in turn, and the module is switched on again.
   Prints the number of operations. */
static bool outages(char **path, struct error *err)
{
    _cleanup_(buffer_free) struct buffer old = {0}, payload = {0}, new = {0};
    struct outage none = {.at = UINT32_MAX};
    if (!file_load(path[0], IMAGE_MAX, &old, err) || !file_load(path[1], IMAGE_MAX, &payload, err) ||
        !file_load(path[2], IMAGE_MAX, &new, err))
        return false;
    struct bytes was = buffer_bytes(&old), bytes = buffer_bytes(&payload), is = buffer_bytes(&new);
    if (!run_through(was, bytes, is, &none, err))
        return false;
    for (unsigned int at = 0; at < none.operations; at++)
        for (int how = EC618_POWER_FAILS_IN; how <= EC618_POWER_FAILS_AFTER; how++)
            if (!run_through(was, bytes, is, &(struct outage){0, at, (enum ec618_power)how}, err))
                return false;
    printf("%u\n", none.operations);
    return true;
}

static bool describe(const char *path, struct error *err)
{
    _cleanup_(buffer_free) struct buffer bytes = {0};
    struct ec618_payload payload;
    return file_load(path, IMAGE_MAX, &bytes, err) &&
           ec618_payload_open(buffer_bytes(&bytes), &payload, err) &&
           ec618_payload_describe(&payload, stdout, err);
}

/* Adds the sector with all fields as our writer makes them, but with the packed bytes of the file. */
static bool add_frame(struct buffer *out, struct bytes *common, struct error *err)
{
    _cleanup_(buffer_free) struct buffer plain = {0}, made = {0};
    struct luatos_sector theirs, ours;
    struct luatos_block block, own;
    struct sector_plain unpacked;
    size_t head = out->len;
    if (!luatos_sector_read(*common, &theirs, err) || !sector_unpack(common, &unpacked, err))
        return false;
    plain = unpacked.bytes;
    if (!sector_pack(&made, unpacked.magic, unpacked.address, buffer_bytes(&plain), err) ||
        !luatos_sector_read(buffer_bytes(&made), &ours, err) ||
        !buffer_add(out, made.ptr, LUATOS_SECTOR_BYTES, err))
        return false;
    theirs.blocks.len = theirs.packed_bytes;
    while (luatos_block_next(&theirs.blocks, &block) && luatos_block_next(&ours.blocks, &own)) {
        size_t at = out->len;
        if (!buffer_add(out, own.head.ptr, own.head.len, err) ||
            !buffer_add(out, block.packed.ptr, block.packed.len, err))
            return false;
        little_put_u32(out->ptr + at + own.head.len - 4, (uint32_t)block.packed.len);
    }
    little_put_u32(out->ptr + head + 4, (uint32_t)(out->len - head - LUATOS_SECTOR_BYTES));
    return true;
}

/* Makes a file with the 92-byte head again from what a module writes, and compares all bytes. Other LZMA encoders pack
   other bytes, so the packed ones are those of the file. */
static bool check_frame(const char *path, struct error *err)
{
    _cleanup_(buffer_free) struct buffer file = {0}, common = {0}, out = {0};
    struct luatos_file head;
    if (!file_load(path, IMAGE_MAX, &file, err) || !luatos_read(buffer_bytes(&file), &head, err))
        return false;
    for (struct bytes rest = head.common; rest.len > 0;)
        if (!add_frame(&common, &rest, err))
            return false;
    return wrapper_luatos_add(&out, head.magic, &head.versions, buffer_bytes(&common), head.sdk, err) &&
           (bytes_equal(buffer_bytes(&out), buffer_bytes(&file)) ||
            error_set(err, ERROR_INTERNAL, "the frame made again is not the one of the file"));
}

int main(int argc, char **argv)
{
    struct error err;
    struct ec618_options options = {0};
    bool ok;
    if (argc >= 5 && strcmp(argv[1], "make") == 0 && parse_options(argc - 5, argv + 5, &options))
        ok = make(argv + 2, options, &err);
    else if (argc == 5 && strcmp(argv[1], "apply") == 0)
        ok = apply(argv + 2, &err);
    else if (argc == 5 && strcmp(argv[1], "outages") == 0)
        ok = outages(argv + 2, &err);
    else if (argc == 3 && strcmp(argv[1], "describe") == 0)
        ok = describe(argv[2], &err);
    else if (argc == 3 && strcmp(argv[1], "frame") == 0)
        ok = check_frame(argv[2], &err);
    else
        return fputs(usage, stderr), 2;
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok ? 0 : 1;
}
