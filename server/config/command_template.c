/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/command_template.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

#define BLANKS " \t"

/* The words of the command. The first pass only measures them. */
struct output {
    char **argv, *text; /* NULL while measuring */
    size_t words, bytes;
};

static void put(struct output *out, struct slice bytes)
{
    if (out->text && bytes.len)
        memcpy(out->text + out->bytes, bytes.ptr, bytes.len);
    out->bytes += bytes.len;
}

static void begin_word(struct output *out)
{
    if (out->text)
        out->argv[out->words] = out->text + out->bytes;
    out->words++;
}

/* Length of the {name} at `text`, with its braces; 0 when there is no {name}. */
static size_t name_length(const char *text)
{
    size_t len = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz");
    return len && text[1 + len] == '}' ? len + 2 : 0;
}

static bool put_value(struct output *out, struct slice name, const struct command_template_value *values,
                      size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (slice_is(name, values[i].name)) {
            put(out, slice_of(values[i].value));
            return true;
        }
    return error_set(err, ERROR_INVALID, "{%.*s} is not known here", (int)(name.len < 40 ? name.len : 40),
                     name.ptr);
}

/* Reads one word and moves *at to its end. */
static bool put_word(struct output *out, const char **at, const struct command_template_value *values,
                     size_t count, struct error *err)
{
    char quote = '\0';
    begin_word(out);
    for (; **at && (quote || !strchr(BLANKS, **at));) {
        size_t len = **at == '{' ? name_length(*at) : 0;
        if (len) {
            if (!put_value(out, (struct slice){*at + 1, len - 2}, values, count, err))
                return false;
            *at += len;
            continue;
        }
        if (**at == quote)
            quote = '\0';
        else if (!quote && (**at == '"' || **at == '\''))
            quote = **at;
        else
            put(out, (struct slice){*at, 1});
        ++*at;
    }
    put(out, (struct slice){"", 1});
    return !quote || error_set(err, ERROR_INVALID, "a quote %c is not closed", quote);
}

static bool put_words(struct output *out, const char *text, const struct command_template_value *values,
                      size_t count, struct error *err)
{
    for (const char *at = text + strspn(text, BLANKS); *at; at += strspn(at, BLANKS))
        if (!put_word(out, &at, values, count, err))
            return false;
    return true;
}

bool command_template_uses(const char *text, const char *name)
{
    char wanted[32];
    snprintf(wanted, sizeof wanted, "{%s}", name);
    return strstr(text, wanted);
}

bool command_template_expand(const char *text, const struct command_template_value *values, size_t count,
                             char ***ret, struct error *err)
{
    struct output out = {0};
    for (size_t i = 0; i < count; i++)
        if (values[i].needed && !command_template_uses(text, values[i].name))
            return error_set(err, ERROR_INVALID, "{%s} is missing", values[i].name);
    text += strspn(text, BLANKS);
    if (text[0] != '/')
        return error_set(err, ERROR_INVALID, "the program must be an absolute path, which begins with /");
    if (!put_words(&out, text, values, count, err))
        return false;
    size_t head = (out.words + 1) * sizeof(char *);
    char **argv = malloc(head + out.bytes);
    if (!argv)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    out = (struct output){.argv = argv, .text = (char *)argv + head};
    if (!put_words(&out, text, values, count, err)) {
        free(argv);
        return false;
    }
    argv[out.words] = NULL;
    *ret = argv;
    return true;
}
