/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/inspect/inspect.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>
#include "delta/inspect/inspect_list.h"
#include "base/little.h"
#include "delta/recognise/recognise.h"

#define SHOWN_BYTES 40 /* limit for the printed bytes of a field that is not understood */

static void begin_line(struct inspect_list *list, struct bytes field, const char *name)
{
    size_t at = field.len > 0 ? (size_t)(field.ptr - list->file.ptr) : 0;
    fprintf(list->to, "  0x%06zx %8zu  %-20s ", at, field.len, name);
}

void inspect_field(struct inspect_list *list, struct bytes field, const char *name, const char *format, ...)
{
    va_list arguments;
    begin_line(list, field, name);
    va_start(arguments, format);
    vfprintf(list->to, format, arguments);
    va_end(arguments);
    fputc('\n', list->to);
}

static void note_unknown(struct inspect_list *list, struct bytes field)
{
    size_t at = (size_t)(field.ptr - list->file.ptr);
    list->unknown += field.len;
    size_t last = list->ranges - 1;
    if (list->ranges > 0 && list->ranges <= INSPECT_RANGES_MAX &&
        list->range[last].at + list->range[last].len == at) {
        list->range[last].len += field.len;
        return;
    }
    if (list->ranges < INSPECT_RANGES_MAX) {
        list->range[list->ranges].at = at;
        list->range[list->ranges].len = field.len;
    }
    list->ranges++;
}

void inspect_unknown(struct inspect_list *list, struct bytes field, const char *name, const char *guess)
{
    if (field.len == 0)
        return;
    note_unknown(list, field);
    begin_line(list, field, name);
    for (size_t i = 0; i < field.len && i < SHOWN_BYTES; i++)
        fprintf(list->to, "%02x", field.ptr[i]);
    fprintf(list->to, "%s  (?) %s\n", field.len > SHOWN_BYTES ? "…" : "", guess ? guess : "not understood");
}

void inspect_title(struct inspect_list *list, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(list->to, format, arguments);
    va_end(arguments);
    fputc('\n', list->to);
}

bool inspect_wrong(struct inspect_list *list, const struct error *err)
{
    if (!list->failed)
        list->error = *err;
    list->failed = true;
    return false;
}

const char *inspect_clean(const char *text, char *out, size_t size)
{
    size_t i = 0;
    for (; text[i] && i + 1 < size; i++)
        out[i] = (char)(isprint((unsigned char)text[i]) && (unsigned char)text[i] < 0x7F ? text[i] : '?');
    out[i] = '\0';
    return out;
}

void inspect_bsdiff(struct inspect_list *list, struct bytes file)
{
    static const char *const names[] = {"control stream", "diff stream", "new image"};
    struct error err;
    inspect_field(list, inspect_slice(file, 0, 8), "magic", "BSDIFF40");
    if (file.len < 32) {
        error_set(&err, ERROR_CORRUPT, "the package is cut off in its header");
        inspect_wrong(list, &err);
        inspect_unknown(list, inspect_slice(file, 8, file.len - 8), "header", "cut off");
        return;
    }
    uint64_t length[3];
    for (size_t i = 0; i < 3; i++) {
        struct bytes field = inspect_slice(file, 8 + 8 * i, 8);
        length[i] = little_u32(field.ptr) | (uint64_t)little_u32(field.ptr + 4) << 32;
        inspect_field(list, field, names[i], "%llu bytes", (unsigned long long)length[i]);
    }
    uint64_t left = file.len - 32;
    if (length[0] > left || length[1] > left - length[0]) {
        error_set(&err, ERROR_CORRUPT, "the package is cut off: its header states longer streams");
        inspect_wrong(list, &err);
        inspect_unknown(list, inspect_slice(file, 32, left), "streams", "cut off");
        return;
    }
    inspect_field(list, inspect_slice(file, 32, length[0]), "control", "compressed with bzip2");
    inspect_field(list, inspect_slice(file, 32 + length[0], length[1]), "diff", "compressed with bzip2");
    inspect_field(list, inspect_slice(file, 32 + length[0] + length[1], left - length[0] - length[1]),
                  "extra", "compressed with bzip2");
}

/* By the kind's name in recognise.h. Other kinds have no fields to print. */
static const struct {
    const char *name;
    void (*list)(struct inspect_list *list, struct bytes file);
} lister_table[] = {
    {"binpkg", inspect_binpkg},
    {"soc", inspect_soc},
    {"par", inspect_par},
    {"at-par", inspect_at},
    {"csdk-full", inspect_luatos},
    {"luatos", inspect_luatos},
    {"bsdiff", inspect_bsdiff},
    {"ec618-payload", inspect_payload},
    {"ec7xx-image", inspect_ec7xx_image},
};

static void list_unknown(struct inspect_list *list)
{
    if (list->unknown == 0) {
        inspect_title(list, "Every byte has a known meaning.");
        return;
    }
    fprintf(list->to, "Not understood: %zu of %zu bytes:", list->unknown, list->file.len);
    for (size_t i = 0; i < list->ranges && i < INSPECT_RANGES_MAX; i++)
        fprintf(list->to, "%s 0x%zx+%zu", i ? "," : "", list->range[i].at, list->range[i].len);
    fprintf(list->to, "%s\n", list->ranges > INSPECT_RANGES_MAX ? ", and more" : "");
}

bool inspect_file(struct bytes file, FILE *to, struct error *err)
{
    struct inspect_list list = {.to = to, .file = file};
    const struct recognised *is = recognise(file);
    struct sha256 hash;
    char hex[SHA256_HEX_SIZE];
    sha256_of(file.ptr, file.len, &hash);
    sha256_hex(&hash, hex);
    fprintf(to, "kind=%s size=%zu sha256=%s\nThis is %s.\n", is->name, file.len, hex, is->sentence);
    for (size_t i = 0; i < sizeof lister_table / sizeof lister_table[0]; i++) {
        if (strcmp(lister_table[i].name, is->name) != 0)
            continue;
        lister_table[i].list(&list, file);
        list_unknown(&list);
    }
    if (list.failed)
        fprintf(to, "Wrong: %s.\n", list.error.text);
    if (fflush(to) != 0 || ferror(to))
        return error_set(err, ERROR_INTERNAL, "cannot write the result");
    if (list.failed)
        *err = list.error;
    return !list.failed;
}
