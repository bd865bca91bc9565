/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Releases of LuatOS for tests: a .soc of given parts. The caller frees returned buffers. */
#ifndef DFOTA_TESTS_UNIT_DELTA_CONTAINER_TEST_RELEASE_H
#define DFOTA_TESTS_UNIT_DELTA_CONTAINER_TEST_RELEASE_H

#include "tests/unit/delta/container/test-containers.h"

#include <archive.h>
#include <archive_entry.h>
#include "delta/container/bundle.h"
#include "delta/container/soc.h"

/* The places of a build with a script area of 128 KB. */
#define INFO_128                                                                                             \
    "{\"version\":1,\"chip\":{\"type\":\"ec618\"},\"rom\":{\"file\":\"luatos.binpkg\",\"fs\":{\"script\":"   \
    "{\"size\":128}}},\"script\":{\"file\":\"script.bin\",\"bitw\":32},\"download\":{\"script_addr\":"       \
    "\"002cc000\"},\"fota\":{\"magic_num\":\"eaf18c16\",\"full_addr\":\"002ec000\"}}"

/* The same with a virtual machine of 64 bits. */
#define INFO_128_64                                                                                          \
    "{\"version\":1,\"chip\":{\"type\":\"ec618\"},\"rom\":{\"file\":\"luatos.binpkg\",\"fs\":{\"script\":"   \
    "{\"size\":128}}},\"script\":{\"file\":\"script.bin\",\"bitw\":64},\"download\":{\"script_addr\":"       \
    "\"002cc000\"},\"fota\":{\"magic_num\":\"eaf18c16\",\"full_addr\":\"002ec000\"}}"

/* With a script area of 448 KB. */
#define INFO_448                                                                                              \
    "{\"chip\":{\"type\":\"ec618\"},\"rom\":{\"file\":\"luatos.binpkg\",\"fs\":{\"script\":{\"size\":448}}}," \
    "\"script\":{\"bitw\":32},\"download\":{\"script_addr\":\"0x24d000\"},\"fota\":{\"magic_num\":"           \
    "\"eaf18c16\",\"full_addr\":\"2bd000\"}}"

/* The places of an EC7xx with a script area of 512 KB, as for the model Air780EHM with the file system at 0x654000: a
   module keeps 384 KB. `chip`, `fota` and `files` are texts of JSON; `fota` ends with the members of fota, `files` is
   for download.fs_addr and rom.fs.filesystem.offset. */
#define INFO_EC7XX_OF(chip, size, script_addr, fota, files, files_too)                                       \
    "{\"chip\":{\"type\":" chip "},\"rom\":{\"file\":\"luatos.binpkg\",\"fs\":{\"script\":{\"size\":" size   \
    "},\"filesystem\":{\"offset\":" files_too                                                                \
    "}}},\"script\":{\"bitw\":64},\"download\":{\"script_addr\":" script_addr ",\"fs_addr\":" files          \
    "},\"fota\":{" fota "}}"
#define FOTA_EC7XX "\"magic_num\":\"eac37218\",\"full_addr\":\"4EE000\",\"fota_len\":\"106000\""
#define INFO_EC7XX INFO_EC7XX_OF("\"ec7xx\"", "512", "\"46E000\"", FOTA_EC7XX, "\"654000\"", "\"654000\"")

/* `script` empty: a core. */
static inline struct buffer sample_soc(const char *info, struct bytes rom, struct bytes script)
{
    const struct bundle_source source[] = {
        {"pack/info.json", text_bytes(info)},
        {"pack/luat_conf_bsp.h", text_bytes("#define LUAT_BSP_VERSION \"V1114\"\n")},
        {"pack/luatos.binpkg", rom},
        {"pack/luatos.elf", text_bytes("left out")},
        {"pack/script.bin", script},
    };
    struct buffer made = {0};
    struct error err;
    assert_true(bundle_pack(source, script.len ? 5 : 4, &made, &err));
    return made;
}

/* The same release, compressed to less than a third of its .binpkg. */
static inline struct buffer compressed_soc(const struct buffer *soc)
{
    struct buffer packed = {0};
    struct soc open;
    struct error err;
    size_t used = 0;
    assert_true(soc_open(buffer_bytes(soc), &open, &err));
    const struct {
        const char *name;
        struct bytes bytes;
    } file[] = {{"info.json", buffer_bytes(&open.info)},
                {"luatos.binpkg", buffer_bytes(&open.rom)},
                {"script.bin", buffer_bytes(&open.script)}};
    struct archive *archive = archive_write_new();
    must_fill(&packed, 0, soc->len);
    assert_int_equal(archive_write_set_format_zip(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(archive, packed.ptr, packed.len, &used), ARCHIVE_OK);
    for (size_t i = 0; i < 3; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, file[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_size(entry, (int64_t)file[i].bytes.len);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(archive_write_data(archive, file[i].bytes.ptr, file[i].bytes.len),
                         (int64_t)file[i].bytes.len);
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
    packed.len = used;
    assert_true(3 * packed.len < open.rom.len);
    soc_free(&open);
    return packed;
}

#endif
