/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "delta/bzip2/bzip.h"

#include <bzlib.h>
#include <stdlib.h>

#define BLOCK_100K 9 /* the largest blocks; they only help streams over 100 KB, and cost the reader 4 MB */

bool bzip_add_stream(struct buffer *out, struct bytes plain, struct error *err)
{
    if (plain.len > INT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "a stream of %zu bytes is too large to compress", plain.len);
    /* The largest output that bzip2 documents, for data that does not compress. */
    if (!buffer_reserve(out, plain.len + plain.len / 100 + 601, err))
        return false;
    unsigned int len = (unsigned int)(plain.len + plain.len / 100 + 601);
    char *from = plain.len ? (char *)plain.ptr : (char *)""; /* the function refuses NULL and does not
                                                                write */
    int rc = BZ2_bzBuffToBuffCompress((char *)out->ptr + out->len, &len, from, (unsigned int)plain.len,
                                      BLOCK_100K, 0, 0);
    if (rc == BZ_MEM_ERROR)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    if (rc != BZ_OK)
        return error_set(err, ERROR_INTERNAL, "bzip2 failed with code %d", rc);
    out->len += len;
    return true;
}

struct bzip_reader {
    bz_stream stream;
    const char *what;
    bool opened; /* BZ2_bzDecompressInit was called */
    bool ended;
};

bool bzip_open(struct bytes packed, const char *what, struct bzip_reader **ret, struct error *err)
{
    if (packed.len > UINT32_MAX)
        return error_set(err, ERROR_TOO_LARGE, "the %s stream is too large", what);
    struct bzip_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    reader->what = what;
    reader->ended = packed.len == 0;
    if (!reader->ended) {
        reader->opened = BZ2_bzDecompressInit(&reader->stream, 0, 0) == BZ_OK;
        if (!reader->opened) {
            free(reader);
            return error_set(err, ERROR_INTERNAL, "out of memory");
        }
        reader->stream.next_in = (char *)packed.ptr;
        reader->stream.avail_in = (unsigned int)packed.len;
    }
    *ret = reader;
    return true;
}

/* Reads up to len bytes; fewer only at the end of the stream. */
static bool read_some(struct bzip_reader *reader, uint8_t *out, size_t len, size_t *ret_len,
                      struct error *err)
{
    size_t got = 0;
    while (got < len && !reader->ended) {
        size_t left = len - got;
        unsigned int room = left > INT32_MAX ? INT32_MAX : (unsigned int)left;
        reader->stream.next_out = (char *)out + got;
        reader->stream.avail_out = room;
        int rc = BZ2_bzDecompress(&reader->stream);
        size_t made = room - reader->stream.avail_out;
        got += made;
        if (rc == BZ_MEM_ERROR)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        if (rc != BZ_OK && rc != BZ_STREAM_END)
            return error_set(err, ERROR_CORRUPT, "the %s stream is damaged (bzip2 code %d)", reader->what,
                             rc);
        reader->ended = rc == BZ_STREAM_END;
        if (!reader->ended && made < room && reader->stream.avail_in == 0)
            return error_set(err, ERROR_CORRUPT, "the %s stream is cut off", reader->what);
    }
    *ret_len = got;
    return true;
}

bool bzip_read(struct bzip_reader *reader, uint8_t *out, size_t len, struct error *err)
{
    size_t got;
    if (!read_some(reader, out, len, &got, err))
        return false;
    if (got < len)
        return error_set(err, ERROR_CORRUPT, "the %s stream is shorter than the control records say",
                         reader->what);
    return true;
}

bool bzip_read_end(struct bzip_reader *reader, struct error *err)
{
    uint8_t more;
    size_t got;
    if (!read_some(reader, &more, 1, &got, err))
        return false;
    if (got > 0)
        return error_set(err, ERROR_CORRUPT, "the %s stream continues after the end of the new image",
                         reader->what);
    if (reader->stream.avail_in > 0)
        return error_set(err, ERROR_CORRUPT, "%u bytes of garbage follow after the %s stream",
                         reader->stream.avail_in, reader->what);
    return true;
}

void bzip_close(struct bzip_reader *reader)
{
    if (!reader)
        return;
    if (reader->opened)
        BZ2_bzDecompressEnd(&reader->stream);
    free(reader);
}
