/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/image_generator.h"

#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/sha256.h"

/* Layout of an image: vectors, a label, functions, texts, then 0xFF to the end.

   A function is a list of halfwords; some of them are calls and addresses that are known only after
   linking. The seed gives its content, and the last edits of the version are applied to it. Every few
   hundred version numbers a function is revised, each function at a different number. */
#define LOAD_ADDRESS  0x00824000u
#define LABEL_AT      64
#define HASH_AT       (LABEL_AT + 64)
#define CODE_AT       256
#define LABEL_MAGIC   "dfota generated image 1"
#define VERSION_AT    (LABEL_AT + 24)
#define SIZE_AT       (VERSION_AT + 32)
#define SEED_AT       (SIZE_AT + 4)
#define OPCODES       600
#define LIBRARY       48  /* functions that every function may call */
#define NEIGHBOURS    40  /* functions near the caller, as in the same source file */
#define BYTES_EACH    222 /* average size of a function with its edits */
#define WORDS_MAX     256
#define KEPT_EDITS    6
#define PERIOD_LEAST  150 /* version numbers between two revisions of a function */
#define PERIOD_SPREAD 500
#define TEXT_SHARE    16 /* texts are 1/16 of the image */

enum word_kind { WORD_OPCODE, WORD_CALL, WORD_ADDRESS };

struct word {
    enum word_kind kind;
    uint32_t value; /* the halfword, or the number of a function */
};

struct function {
    struct word word[WORDS_MAX];
    size_t count;
};

struct program {
    uint64_t seed, number;
    uint32_t functions;
    uint32_t *address; /* of each function, counted from the start of the image */
    uint16_t opcode[OPCODES];
};

/* splitmix64: good random numbers even from small seeds that follow each other. */
static uint64_t draw(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static uint32_t draw_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)((draw(state) >> 32) * limit >> 32);
}

static uint64_t stream_of(uint64_t seed, uint64_t what, uint64_t which)
{
    uint64_t state = seed * 0xD1342543DE82EF95u + what;
    state = draw(&state) + which;
    return draw(&state);
}

/* Some instructions are much more frequent than others. */
static struct word draw_opcode(const struct program *program, uint64_t *state)
{
    uint32_t a = draw_below(state, OPCODES), b = draw_below(state, OPCODES), c = draw_below(state, OPCODES);
    uint32_t least = a < b ? a : b;
    return (struct word){WORD_OPCODE, program->opcode[least < c ? least : c]};
}

static uint32_t draw_callee(const struct program *program, uint32_t caller, uint64_t *state)
{
    if (draw_below(state, 2) == 0)
        return draw_below(state, program->functions < LIBRARY ? program->functions : LIBRARY);
    uint32_t first = caller > NEIGHBOURS / 2 ? caller - NEIGHBOURS / 2 : 0;
    return (first + draw_below(state, NEIGHBOURS)) % program->functions;
}

static void edit(const struct program *program, uint32_t id, uint64_t revision, struct function *function)
{
    uint64_t state = stream_of(program->seed ^ revision << 20, 3, id);
    size_t at = draw_below(&state, (uint32_t)function->count - 4);
    for (uint32_t changes = 1 + draw_below(&state, 4); changes > 0 && at < function->count; changes--, at++)
        function->word[at] = draw_opcode(program, &state);
    size_t more = draw_below(&state, 4);
    if (more && function->count + more <= WORDS_MAX) {
        memmove(&function->word[at + more], &function->word[at],
                (function->count - at) * sizeof(struct word));
        for (size_t i = 0; i < more; i++)
            function->word[at + i] = draw_opcode(program, &state);
        function->count += more;
    }
}

/* Function `id` in this version. */
static void write_function(const struct program *program, uint32_t id, struct function *ret)
{
    uint64_t state = stream_of(program->seed, 2, id);
    ret->count = 24 + draw_below(&state, 140);
    for (size_t i = 0; i < ret->count; i++) {
        if (draw_below(&state, 20) == 0)
            ret->word[i] = (struct word){WORD_CALL, draw_callee(program, id, &state)};
        else if (i + 6 > ret->count && draw_below(&state, 4) == 0)
            ret->word[i] = (struct word){WORD_ADDRESS, draw_callee(program, id, &state)};
        else
            ret->word[i] = draw_opcode(program, &state);
    }
    uint64_t period = PERIOD_LEAST + draw_below(&state, PERIOD_SPREAD);
    uint64_t revision = (program->number + draw_below(&state, (uint32_t)period)) / period;
    uint64_t first = revision > KEPT_EDITS ? revision - KEPT_EDITS : 0;
    for (uint64_t i = first; i < revision; i++)
        edit(program, id, i, ret);
}

static uint32_t function_bytes(const struct function *function)
{
    uint32_t len = 0;
    for (size_t i = 0; i < function->count; i++)
        len += function->word[i].kind == WORD_OPCODE ? 2 : 4;
    return (len + 3) & ~3u;
}

static void put(struct buffer *image, size_t at, uint32_t value, size_t len)
{
    for (size_t i = 0; i < len && at + i < image->len; i++)
        image->ptr[at + i] = (uint8_t)(value >> 8 * i);
}

/* A Thumb branch with link: two halfwords with eleven bits of the distance each. */
static uint32_t encode_call(uint32_t from, uint32_t to)
{
    uint32_t distance = to - from - 4;
    return (0xF000u | (distance >> 12 & 0x7FF)) | (0xF800u | (distance >> 1 & 0x7FF)) << 16;
}

static void link_function(const struct program *program, uint32_t id, const struct function *function,
                          struct buffer *image)
{
    uint32_t at = program->address[id];
    for (size_t i = 0; i < function->count; i++) {
        const struct word *word = &function->word[i];
        switch (word->kind) {
        case WORD_OPCODE:
            put(image, at, word->value, 2);
            at += 2;
            break;
        case WORD_CALL:
            put(image, at, encode_call(at, program->address[word->value]), 4);
            at += 4;
            break;
        case WORD_ADDRESS:
            put(image, at, LOAD_ADDRESS + program->address[word->value] + 1, 4);
            at += 4;
            break;
        }
    }
}

/* Returns the end of the code. */
static uint32_t lay_out(struct program *program)
{
    uint32_t at = CODE_AT;
    for (uint32_t id = 0; id < program->functions; id++) {
        struct function function;
        write_function(program, id, &function);
        program->address[id] = at;
        at += function_bytes(&function);
    }
    return at;
}

static void write_texts(const struct program *program, size_t at, struct buffer *image)
{
    static const char *const words[] = {"socket",  "timeout",    "%s: ",   "failed",  "modem", "PDP",
                                        "context", "+CME ERROR", "attach", "invalid", "state", "=%d\r\n",
                                        "flash",   "task",       "queue",  "band"};
    uint64_t state = stream_of(program->seed, 4, 0);
    size_t end = at + image->len / TEXT_SHARE;
    while (at < end) {
        for (uint32_t left = 1 + draw_below(&state, 5); left > 0; left--)
            for (const char *c = words[draw_below(&state, 16)]; *c; c++)
                put(image, at++, (uint8_t)*c, 1);
        put(image, at++, 0, 1);
    }
}

/* The hash of the image; the place of the hash itself counts as zeros. */
static void hash_image(struct bytes image, struct sha256 *ret)
{
    static const uint8_t zeros[SHA256_SIZE];
    struct sha256_state *state = sha256_begin();
    sha256_add(state, image.ptr, HASH_AT);
    sha256_add(state, zeros, SHA256_SIZE);
    sha256_add(state, image.ptr + HASH_AT + SHA256_SIZE, image.len - HASH_AT - SHA256_SIZE);
    sha256_end(state, ret);
}

static void write_label(const struct program *program, const char *release, uint32_t seed,
                        struct buffer *image)
{
    for (uint32_t i = 0; i < LABEL_AT / 4; i++)
        put(image, i * 4, i == 0 ? 0x00C20000 : LOAD_ADDRESS + program->address[i % program->functions] + 1,
            4);
    memset(image->ptr + LABEL_AT, 0, CODE_AT - LABEL_AT);
    memcpy(image->ptr + LABEL_AT, LABEL_MAGIC, sizeof LABEL_MAGIC);
    memcpy(image->ptr + VERSION_AT, release, strlen(release));
    put(image, SIZE_AT, (uint32_t)image->len, 4);
    put(image, SEED_AT, seed, 4);
    struct sha256 hash;
    hash_image(buffer_bytes(image), &hash);
    memcpy(image->ptr + HASH_AT, hash.byte, SHA256_SIZE);
}

bool image_generator_make(const char *release, size_t size_bytes, uint32_t seed, struct buffer *ret,
                          struct error *err)
{
    _cleanup_(buffer_free) struct buffer image = {0};
    struct program program = {.seed = seed, .number = release_number(release)};
    size_t code = size_bytes - CODE_AT - size_bytes / TEXT_SHARE - size_bytes / 32;
    program.functions = (uint32_t)(code / BYTES_EACH) + 1;
    _cleanup_(cleanup_free) uint32_t *address = program.address = calloc(program.functions, sizeof *address);
    if (!address || !buffer_reserve(&image, size_bytes, err))
        return error_set(err, ERROR_INTERNAL, "out of memory");
    image.len = size_bytes;
    memset(image.ptr, 0xFF, size_bytes);

    uint64_t state = stream_of(seed, 1, 0);
    for (size_t i = 0; i < OPCODES; i++)
        program.opcode[i] = (uint16_t)draw(&state);
    uint32_t end = lay_out(&program);
    for (uint32_t id = 0; id < program.functions; id++) {
        struct function function;
        write_function(&program, id, &function);
        link_function(&program, id, &function, &image);
    }
    write_texts(&program, end, &image);
    write_label(&program, release, seed, &image);
    *ret = image;
    image = (struct buffer){0};
    return true;
}

bool image_generator_read(struct bytes image, char out[RELEASE_SIZE])
{
    if (image.len < GENERATOR_MIN_BYTES || memcmp(image.ptr + LABEL_AT, LABEL_MAGIC, sizeof LABEL_MAGIC) != 0)
        return false;
    struct sha256 hash;
    hash_image(image, &hash);
    if (memcmp(hash.byte, image.ptr + HASH_AT, SHA256_SIZE) != 0)
        return false;
    const char *text = (const char *)image.ptr + VERSION_AT;
    return release_read((struct slice){text, strnlen(text, RELEASE_SIZE - 1)}, out);
}
