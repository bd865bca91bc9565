/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as a file of each kind: each reader separately, and all of `inspect`, with and
   without --brief. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "delta/container/binpkg.h"
#include "delta/inspect/inspect_json.h"
#include "delta/inspect/inspect.h"
#include "delta/container/par.h"
#include "delta/recognise/recognise.h"
#include "delta/container/sector.h"
#include "delta/container/wrapper.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* A view must be inside the file. */
static void within(struct bytes file, struct bytes view)
{
    demand(view.len == 0 || (view.ptr >= file.ptr && view.ptr + view.len <= file.ptr + file.len));
}

static void try_par(struct bytes file)
{
    struct par par;
    struct error err = {ERROR_CODES, ""};
    if (!par_read(file, &par, &err)) {
        demand(err.code == ERROR_CORRUPT && err.text[0]);
        return;
    }
    size_t total = par.head.len + par.rest.len; /* the head is longer with 8 MB of flash */
    for (unsigned int i = 0; i < par.parts; i++) {
        within(file, par.part[i].head);
        within(file, par.part[i].payload);
        total += par.part[i].head.len + par.part[i].payload.len;
    }
    demand(total == file.len);
    demand(par_check(&par, &err) || err.code == ERROR_CORRUPT);
}

static void try_luatos(struct bytes file)
{
    struct luatos_file head;
    struct error err = {ERROR_CODES, ""};
    if (!luatos_read(file, &head, &err)) {
        demand(err.code == ERROR_CORRUPT && err.text[0]);
        return;
    }
    within(file, head.common);
    within(file, head.sdk);
    demand(LUATOS_HEAD_BYTES + head.common.len + head.sdk.len + head.rest.len == file.len);
    demand(luatos_check(&head, &err) || err.code == ERROR_CORRUPT);
}

static void try_sector(struct bytes file)
{
    struct luatos_sector sector;
    struct luatos_block block;
    struct error err = {ERROR_CODES, ""};
    if (file.len > 0 && !sector_check_all(file, LUATOS_EC618, &err))
        demand(err.code == ERROR_CORRUPT && err.text[0]);
    if (!luatos_sector_read(file, &sector, &err))
        return;
    while (luatos_block_next(&sector.blocks, &block)) {
        within(file, block.head);
        within(file, block.packed);
    }
}

static void try_at(struct bytes file)
{
    struct bytes par = {0};
    struct error err;
    if (wrapper_at_open(file, &par, &err))
        demand(par.len + WRAPPER_AT_BYTES == file.len);
}

/* A sound file is made again without a change. */
static void try_binpkg(struct bytes file)
{
    struct binpkg binpkg;
    struct error err = {ERROR_CODES, ""};
    struct bytes image[BINPKG_ENTRIES_MAX];
    struct buffer again = {0};
    if (!binpkg_read(file, &binpkg, &err)) {
        demand(err.code == ERROR_CORRUPT && err.text[0]);
        return;
    }
    for (unsigned int i = 0; i < binpkg.entries; i++) {
        within(file, binpkg.entry[i].image);
        image[i] = binpkg.entry[i].image;
    }
    if (!binpkg_check(&binpkg, &err)) {
        demand(err.code == ERROR_CORRUPT);
        return;
    }
    demand(binpkg_rebuild(&binpkg, image, file.len, &again, &err));
    demand(bytes_equal(buffer_bytes(&again), file));
    buffer_free(&again);
}

static void try_inspect(struct bytes file)
{
    char *text = NULL;
    size_t size = 0;
    struct error err = {ERROR_CODES, ""};
    FILE *to = open_memstream(&text, &size);
    demand(to != NULL);
    demand(inspect_file(file, to, &err) || (err.code == ERROR_CORRUPT && err.text[0]));
    demand(fclose(to) == 0);
    for (size_t i = 0; i < size; i++) /* no control characters for a terminal */
        demand(text[i] == '\n' || (uint8_t)text[i] >= 0x20);
    free(text);
}

/* For any file: one line of JSON, not long, with all fields. */
static void try_brief(struct bytes file)
{
    char *text = NULL;
    size_t size = 0;
    struct error err;
    FILE *to = open_memstream(&text, &size);
    demand(to != NULL);
    demand(inspect_json_file(file, NULL, to, &err));
    demand(fclose(to) == 0 && size < 8192 && strchr(text, '\n') == text + size - 1);
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    demand(json_is_string(json_object_get(object, "kind")) &&
           json_is_string(json_object_get(object, "role")));
    demand(json_is_array(json_object_get(object, "releases")) && json_object_size(object) >= 7);
    json_decref(object);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct bytes file = {input, len};
    demand(recognise(file)->name != NULL);
    try_par(file);
    try_luatos(file);
    try_sector(file);
    try_at(file);
    try_binpkg(file);
    try_inspect(file);
    try_brief(file);
    return 0;
}
