/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* server/config: one table of keys behind the file, the command line, the sample, the help and the manual. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "server/config/config.h"
#include "server/config/device_url.h"
#include "server/config/firmware_section.h"
#include "server/config/keys.h"

static char directory[] = "/tmp/dfota-config-XXXXXX";
static char file_path[sizeof directory + 16];

static int make_directory(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(file_path, sizeof file_path, "%s/conf", directory);
    return 0;
}

static int remove_directory(void **state)
{
    (void)state;
    unlink(file_path);
    return rmdir(directory);
}

static void write_bytes(const char *bytes, size_t length)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(file_path, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
}

static void write_file(const char *text)
{
    write_bytes(text, strlen(text));
}

static char *read_whole(const char *path)
{
    _cleanup_(cleanup_fclose) FILE *file = fopen(path, "re");
    if (!file)
        fail_msg("cannot read %s", path);
    char *text = calloc(1, 256 * 1024);
    assert_non_null(text);
    assert_true(fread(text, 1, 256 * 1024 - 1, file) > 0);
    return text;
}

/* Arguments behind the program's name, NULL ends them. */
#define ARGUMENTS(...)                                                                                       \
    (char *[])                                                                                               \
    {                                                                                                        \
        "dfotad", __VA_ARGS__, NULL                                                                          \
    }

static bool load(char **argv, struct config *config, enum config_action *action, struct error *err)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return config_load(argc, argv, config, action, err);
}

static void load_good(char **argv, struct config *config)
{
    struct error err = {0};
    enum config_action action;
    if (!load(argv, config, &action, &err))
        fail_msg("refused: %s", err.text);
    assert_int_equal(action, CONFIG_RUN);
}

/* The error must be the admin's and hold `needle`. */
static void load_bad(char **argv, const char *needle)
{
    struct error err = {0};
    struct config config = {0};
    enum config_action action;
    if (load(argv, &config, &action, &err))
        fail_msg("taken, though it should say: %s", needle);
    assert_int_equal(err.code, ERROR_INVALID);
    if (!strstr(err.text, needle))
        fail_msg("says \"%s\", not \"%s\"", err.text, needle);
    assert_null(config.data_dir); /* nothing is handed out */
}

/* "--max-image-bytes" + tail */
static void option_of(const struct config_key *key, const char *tail, char *out, size_t out_size)
{
    snprintf(out, out_size, "--%s", key->name);
    for (char *at = out; *at; at++)
        *at = *at == '_' ? '-' : *at;
    size_t used = strlen(out);
    snprintf(out + used, out_size - used, "%s", tail);
}

static uint64_t count_cores(void)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return (uint64_t)CPU_COUNT(&set);
}

static void test_defaults(void **state)
{
    (void)state;
    struct config config;
    load_good(ARGUMENTS(NULL), &config);
    assert_string_equal(config.data_dir, "/var/lib/dfota");
    assert_string_equal(config.device_listen, "0.0.0.0:8080");
    assert_string_equal(config.admin_listen, "127.0.0.1:8081");
    assert_string_equal(config.public_device_url, "");
    assert_int_equal(config.loops, count_cores());
    assert_int_equal(config.jobs, count_cores());
    assert_int_equal(config.max_device_connections, 4096);
    assert_int_equal(config.max_admin_connections, 64);
    assert_int_equal(config.head_timeout_ms, 30000);
    assert_int_equal(config.body_timeout_ms, 60000);
    assert_int_equal(config.idle_timeout_ms, 120000);
    assert_int_equal(config.transfer_stall_ms, 600000);
    assert_int_equal(config.max_transfers, 0);
    assert_int_equal(config.max_bytes_per_second, 0);
    assert_int_equal(config.max_image_bytes, 64 << 20);
    assert_int_equal(config.disk_reserve_bytes, 64 << 20);
    assert_int_equal(config.package_cache_bytes, 64 << 20);
    assert_int_equal(config.max_new_devices_per_day, 10000);
    assert_int_equal(config.loop_guard_per_day, 6);
    assert_int_equal(config.link_offers, 3);
    assert_int_equal(config.link_offer_gap_ms, 86400000);
    assert_int_equal(config.pin_idle_ms, 86400000);
    assert_int_equal(config.job_cpu_s, 600);
    assert_int_equal(config.job_memory_bytes, 1 << 30);
    assert_int_equal(config.job_wall_ms, 900000);
    assert_int_equal(config.log_level, LOG_LEVEL_INFO);
    config_free(&config);
    assert_null(config.data_dir);
    config_free(&config);
}

static void test_default_program_is_beside_this_one(void **state)
{
    (void)state;
    char expected[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", expected, sizeof expected - 1);
    assert_true(length > 0);
    expected[length] = '\0';
    snprintf(strrchr(expected, '/'), 16, "/dfota");
    struct config config;
    load_good(ARGUMENTS(NULL), &config);
    assert_string_equal(config.dfota_path, expected);
    config_free(&config);
    load_good(ARGUMENTS("--dfota-path", "/opt/x"), &config);
    assert_string_equal(config.dfota_path, "/opt/x");
    config_free(&config);
}

static void test_every_key_is_read_from_both(void **state)
{
    (void)state;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_key_table[i];
        if (!key->name)
            continue;
        char text[256], option[256];
        struct config config;
        snprintf(text, sizeof text, "%s = %s\n", key->name, key->preset);
        write_file(text);
        load_good(ARGUMENTS("--config", file_path), &config);
        config_free(&config);
        option_of(key, "", option, sizeof option);
        load_good(ARGUMENTS(option, (char *)key->preset), &config);
        config_free(&config);
        snprintf(text, sizeof text, "=%s", key->preset);
        option_of(key, text, option, sizeof option);
        load_good(ARGUMENTS(option), &config);
        config_free(&config);
    }
}

static void test_numbers_have_ends(void **state)
{
    (void)state;
    unsigned seen = 0;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_key_table[i];
        if (!key->name || key->most == 0 || strcmp(key->name, "log_level") == 0)
            continue;
        const struct {
            uint64_t value;
            bool good;
        } cases[] = {{key->least, true}, {key->most, true}, {key->least - 1, false}, {key->most + 1, false}};
        for (size_t k = 0; k < 4; k++) {
            char tail[32], option[96];
            snprintf(tail, sizeof tail, "=%llu", (unsigned long long)cases[k].value);
            option_of(key, tail, option, sizeof option);
            if (!cases[k].good) {
                load_bad(ARGUMENTS(option), key->name);
                continue;
            }
            struct config config;
            load_good(ARGUMENTS(option), &config);
            assert_int_equal(*(uint64_t *)config_key_field(key, &config), cases[k].value);
            config_free(&config);
        }
        seen++;
    }
    assert_true(seen > 20);
}

static void test_command_line_wins_over_file(void **state)
{
    (void)state;
    write_file("max_image_bytes = 1000\nlink_offers=5\n");
    struct config config;
    load_good(ARGUMENTS("--max-image-bytes=2000", "--config", file_path), &config);
    assert_int_equal(config.max_image_bytes, 2000);
    assert_int_equal(config.link_offers, 5);
    assert_int_equal(config.loop_guard_per_day, 6);
    config_free(&config);
    load_good(ARGUMENTS("--data-dir", "/a", "--data-dir=/b"), &config);
    assert_string_equal(config.data_dir, "/b");
    config_free(&config);
}

static void test_file_may_be_written_freely(void **state)
{
    (void)state;
    write_file(
        "\xEF\xBB\xBF# a note\n; another\n\n[anything]\n   data_dir=/x y \n\tjobs = 3 ; "
        "three\r\n[more]\nlog_level : debug");
    struct config config;
    load_good(ARGUMENTS("--config", file_path), &config);
    assert_string_equal(config.data_dir, "/x y");
    assert_int_equal(config.jobs, 3);
    assert_int_equal(config.log_level, LOG_LEVEL_DEBUG);
    config_free(&config);
}

static void test_errors_in_the_file_name_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *needle;
    } cases[] = {
        {"\n# x\nmax_image_byte = 5\n", "/conf:3: there is no key max_image_byte"},
        {"jobs = 0\n", "/conf:1: jobs: '0'"},
        {"jobs =\n", "/conf:1: jobs: ''"},
        {"jobs = -1\n", "/conf:1: jobs: '-1'"},
        {"jobs = 2k\n", "/conf:1: jobs: '2k'"},
        {"jobs = 18446744073709551617\n", "/conf:1: jobs: '"},
        {"head_timeout_ms = auto\n", "/conf:1: head_timeout_ms"},
        {"[a]\njobs = 1\n[b]\njobs = 1\n", "/conf:4: jobs is already set in line 2"},
        {"jobs = 1\nnonsense\njobs = 0\n", "/conf:2: the line is not of the form key = value"},
        {"jobs = 0\nnonsense\n", "/conf:1: jobs"},
        {"link_offers = 3\n  4\n", "/conf:2: the line is not of the form"},
        {"status_27 = 204\n", "/conf:1: status_27: '204' is not a whole number from 400 to 599"},
        {"max_bytes_per_second = 16383\n", "/conf:1: max_bytes_per_second: '16383' is neither 0 nor"},
        {"data_dir =\n", "/conf:1: data_dir: a directory must be given"},
        {"data_dir = /a\tb\n", "/conf:1: data_dir is not valid UTF-8"},
        {"data_dir = /\xFF\n", "/conf:1: data_dir is not valid UTF-8"},
        {"\xFF = 1\n", "/conf:1: there is no key with that name"},
        {"log_level = loud\n", "/conf:1: log_level: 'loud' is not debug"},
        {"device_listen = localhost:8080\n", "/conf:1: device_listen: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_file(cases[i].text);
        load_bad(ARGUMENTS("--config", file_path), cases[i].needle);
    }
    write_bytes("\njobs = 1\0\n", 11);
    load_bad(ARGUMENTS("--config", file_path), "/conf:2: the line contains a NUL byte");
}

static void test_sections_of_firmware(void **state)
{
    (void)state;
    write_file(
        "jobs = 3\n[firmware AirM2M_780E_LTE_AT]\n; why\n"
        "load_address = 0x0024000\n[firmware *]\nexternal_command = /bin/x {old} {new} {out}\n"
        "[firmware a b]\nexternal_verify = /bin/y {old} {package} \"{new}\"\nexternal_writable = /tmp '/a b'\n"
        "[firmware AirM2M_780E_LTE_AT]\n[other]\njob_cpu_s = 7\n");
    struct config config;
    load_good(ARGUMENTS("--config", file_path), &config);
    assert_int_equal(config.firmware_count, 3);
    assert_int_equal(config.jobs, 3);
    assert_int_equal(config.job_cpu_s, 7);
    const struct firmware_section *at = firmware_section_of(&config, "AirM2M_780E_LTE_AT");
    assert_string_equal(at->value[FIRMWARE_LOAD_ADDRESS], "0x24000");
    assert_string_equal(at->value[FIRMWARE_EXTERNAL_COMMAND], "");
    assert_string_equal(firmware_section_of(&config, "a b")->value[FIRMWARE_EXTERNAL_VERIFY],
                        "/bin/y {old} {package} \"{new}\"");
    assert_string_equal(firmware_section_of(&config, "anything")->name, "*");
    config_free(&config);
    load_good(ARGUMENTS(NULL), &config);
    assert_null(firmware_section_of(&config, "anything"));
    config_free(&config);
}

static void test_errors_in_sections(void **state)
{
    (void)state;
    static const struct {
        const char *line, *needle;
    } cases[] = {
        {"jobs = 3", "/conf:2: there is no key jobs in a section [firmware NAME]"},
        {"package_header = head-2=20", "/conf:2: package_header was removed: the images decide"},
        {"package_header =", "/conf:2: package_header was removed"},
        {"load_address = 0x100000000", "/conf:2: load_address: '0x100000000' is not a number below 2^32"},
        {"load_address = -1", "/conf:2: load_address: '-1'"},
        {"load_address = 1\nload_address = 1",
         "/conf:3: load_address is already set for this firmware in line 2"},
        {"chip = ec618", "/conf:2: chip: 'ec618' is not a chip with a known limit, such as ec718p"},
        {"external_command = /x {old} {new}", "/conf:2: external_command: {out} is missing"},
        {"external_command = x {old} {new} {out}",
         "/conf:2: external_command: the program must be an absolute path"},
        {"external_command = /x {old} {new} {out} {gone}",
         "/conf:2: external_command: {gone} is not known here"},
        {"external_command = /x \"{old} {new} {out}", "/conf:2: external_command: a quote \" is not closed"},
        {"external_verify = /x {old} {new} {out}", "/conf:2: external_verify: {package} is missing"},
        {"external_writable = /tmp tmp", "/conf:2: external_writable: 'tmp' is not an absolute path"},
        {"[firmware]", "/conf:2: a section is written [firmware NAME]"},
        {"[firmware a/b]", "/conf:2: a section is written [firmware NAME]"},
        {"[other]\npackage_header = head-3=00", "/conf:3: there is no key package_header"},
        {"[firmware", "/conf:2: the line is not of the form"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "[firmware x]\n%s\n", cases[i].line);
        write_file(text);
        load_bad(ARGUMENTS("--config", file_path), cases[i].needle);
    }
}

static void test_long_line_is_refused(void **state)
{
    (void)state;
    char text[700] = "jobs = 2\ndata_dir = /";
    memset(text + strlen(text), 'x', 300);
    strcat(text, " log_level = debug\n");
    write_file(text);
    load_bad(ARGUMENTS("--config", file_path), "/conf:2: the line is too long");
}

static void test_unreadable_file(void **state)
{
    (void)state;
    load_bad(ARGUMENTS("--config", "/nonexistent/conf"), "cannot read /nonexistent/conf: No such file");
    load_bad(ARGUMENTS("--config", directory), "cannot read /tmp/dfota-config-");
}

static void test_errors_on_the_command_line(void **state)
{
    (void)state;
    static const struct {
        char *text;
        const char *needle;
    } cases[] = {
        {"--max-image-byte=5", "there is no option --max-image-byte"},
        {"--max_image_bytes=5", "there is no option --max_image_bytes"},
        {"--max-image=5", "there is no option --max-image"},
        {"--max-image-bytes", "--max-image-bytes needs a value"},
        {"--max-image-bytes=", "command line: max_image_bytes: ''"},
        {"--check-config=yes", "--check-config takes no value"},
        {"--config", "--config needs a value"},
        {"--", "there is no option --"},
        {"-x", "there is no option -x"},
        {"var", "'var' is not an option"},
        {"", "'' is not an option"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        load_bad(ARGUMENTS("--jobs=1", cases[i].text), cases[i].needle);
}

static void test_local_urls(void **state)
{
    (void)state;
    static const char *const local[] = {"http://127.0.0.1",
                                        "http://127.255.0.9:8080",
                                        "https://localhost",
                                        "http://LocalHost:1",
                                        "http://localhost.",
                                        "http://fota.localhost",
                                        "http://localhost.localdomain",
                                        "http://ip6-localhost",
                                        "http://[::1]:8080",
                                        "http://[0:0::1]",
                                        "http://[::ffff:127.0.0.1]",
                                        "http://[::ffff:7f00:1]:80",
                                        "http://[::127.0.0.1]"};
    static const char *const other[] = {"http://128.0.0.1",     "http://localhost.example",
                                        "http://notlocalhost",  "http://[::ffff:192.0.2.1]",
                                        "http://[2001:db8::1]", "http://10.0.0.1"};
    struct error err;
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        assert_true(device_url_check(local[i], &err));
        assert_true(device_url_is_local(local[i]));
        assert_string_not_equal(device_url_warn_local(local[i]), "");
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        assert_true(device_url_check(other[i], &err));
        assert_string_equal(device_url_warn_local(other[i]), "");
    }
}

static void test_url_for_modules(void **state)
{
    (void)state;
    static char *const good[] = {
        "http://fota.example",      "http://fota.example:8080",   "http://192.0.2.1:1",
        "http://[2001:db8::1]",     "http://[2001:db8::1]:65535", "",
        "https://fota.example",     "https://fota.example:8443",  "https://[2001:db8::1]:1",
        "http://fota.example.",     "http://4g.example",          "http://a-1.b",
        "http://127.0.0.1:8080",    "http://localhost:8080",      "http://[::1]",
        "http://[::ffff:192.0.2.1]"};
    static char *const bad[] = {"fota.example",
                                "https://",
                                "https://fota.example/",
                                "HTTP://fota.example",
                                "ftp://fota.example",
                                "http://0.1.2.3",
                                "http://0",
                                "http://0x0",
                                "http://00.0.0.0",
                                "http://127.1",
                                "http://2130706433",
                                "http://0x7f000001",
                                "http://0177.0.0.1",
                                "http://1.2.3.256",
                                "http://255.255.255.255",
                                "http://224.0.0.1",
                                "https://0.0.0.0",
                                "https://[::]",
                                "http://[::0]",
                                "http://[0:0:0:0:0:0:0:0]:80",
                                "http://[::ffff:0.0.0.0]",
                                "http://[::ffff:0:0]:80",
                                "http://[fe80::1]",
                                "http://[fe80::1%25eth0]",
                                "http://[ff02::1]",
                                "http://a..b",
                                "http://.",
                                "http://.b",
                                "http://-a.b",
                                "http://a-.b",
                                "http://a_b",
                                "http://",
                                "http://fota.example/",
                                "http://fota.example/x",
                                "http://fota.example:",
                                "http://fota.example:0",
                                "http://f:65536",
                                "http://f:80x",
                                "http://0.0.0.0",
                                "http://0.0.0.0:8080",
                                "http://[::]:8080",
                                "http://[2001:db8::1",
                                "http://[2001:db8::1]x",
                                "http://[x]:80",
                                "http://u@fota.example",
                                "http://fota example",
                                "http://fota.example?x",
                                "http://2001:db8::1:80",
                                "http://[]"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct config config;
        load_good(ARGUMENTS("--public-device-url", good[i]), &config);
        assert_string_equal(config.public_device_url, good[i]);
        config_free(&config);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        load_bad(ARGUMENTS("--public-device-url", bad[i]), "command line: public_device_url: '");
    char host[200] = "http://";
    memset(host + 7, 'h', 128);
    host[7 + 60] = host[7 + 120] = '.';
    load_bad(ARGUMENTS("--public-device-url", host), "public_device_url");
    host[7 + 127] = '\0';
    struct config config;
    load_good(ARGUMENTS("--public-device-url", host), &config);
    config_free(&config);
}

static void test_actions(void **state)
{
    (void)state;
    static const struct {
        char *option;
        enum config_action action;
    } cases[] = {{"--print-config", CONFIG_PRINT}, {"--help", CONFIG_HELP}, {"--version", CONFIG_VERSION}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        struct config config = {0};
        enum config_action action = CONFIG_RUN;
        assert_true(load(ARGUMENTS("--check-config", cases[i].option, "--config", "/nonexistent"), &config,
                         &action, &err));
        assert_int_equal(action, cases[i].action);
        assert_null(config.data_dir);
    }
    struct error err = {0};
    struct config config = {0};
    enum config_action action = CONFIG_RUN;
    assert_true(load(ARGUMENTS("--check-config"), &config, &action, &err));
    assert_int_equal(action, CONFIG_CHECK);
    assert_non_null(config.data_dir);
    config_free(&config);
    load_bad(ARGUMENTS("--check-config", "--config", "/nonexistent"), "cannot read");
}

static void test_answer_status(void **state)
{
    (void)state;
    struct config config;
    load_good(ARGUMENTS("--status-27=404", "--status-3=403", "--status-43=503"), &config);
    assert_int_equal(config_answer_status(&config, 27), 404);
    assert_int_equal(config_answer_status(&config, 3), 403);
    assert_int_equal(config_answer_status(&config, 43), 503);
    assert_int_equal(config_answer_status(&config, 44), 400);
    assert_int_equal(config_answer_status(&config, 99), 400);
    config_free(&config);
}

static char *print_to_text(void (*print)(FILE *out))
{
    FILE *out = fopen(file_path, "we");
    assert_non_null(out);
    print(out);
    assert_int_equal(fclose(out), 0);
    return read_whole(file_path);
}

static void test_sample_is_what_is_shipped(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *printed = print_to_text(config_print_sample);
    _cleanup_(cleanup_free) char *shipped = read_whole(DFOTA_SOURCE "/packaging/dfota.conf.sample");
    if (strcmp(printed, shipped) != 0)
        fail_msg("%s", "packaging/dfota.conf.sample is not what dfotad --print-config prints");
}

static void test_sample_holds_the_defaults(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *sample = print_to_text(config_print_sample);
    for (char *at = strstr(sample, "\n#"); at; at = strstr(at + 1, "\n#"))
        if ((at[2] >= 'a' && at[2] <= 'z') || at[2] == '[')
            at[1] = ' ';
    write_file(sample);
    struct config config, plain;
    load_good(ARGUMENTS("--config", file_path), &config);
    load_good(ARGUMENTS(NULL), &plain);
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_key_table[i];
        char line[96];
        snprintf(line, sizeof line, "\n %s =", key->name ? key->name : "");
        if (!key->name)
            continue;
        assert_non_null(strstr(sample, line));
        if (key->owned)
            assert_string_equal(*(char **)config_key_field(key, &config),
                                *(char **)config_key_field(key, &plain));
        else if (key->most > 0 && strcmp(key->name, "log_level") != 0)
            assert_int_equal(*(uint64_t *)config_key_field(key, &config),
                             *(uint64_t *)config_key_field(key, &plain));
    }
    config_free(&config);
    config_free(&plain);
}

static void test_help_names_every_option_in_80_columns(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *help = print_to_text(config_print_help);
    for (size_t i = 0; i < config_key_count; i++) {
        char option[96] = "  ";
        if (!config_key_table[i].name)
            continue;
        option_of(&config_key_table[i], " ", option + 2, sizeof option - 2);
        assert_non_null(strstr(help, option));
    }
    for (const char *line = help; *line; line += strcspn(line, "\n") + 1)
        assert_true(strcspn(line, "\n") <= 80);
}

static void test_manual_explains_every_key(void **state)
{
    (void)state;
    _cleanup_(cleanup_free) char *manual = read_whole(DFOTA_SOURCE "/man/dfota.conf.5");
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_key_table[i];
        char entry[1024];
        if (!key->name)
            snprintf(entry, sizeof entry, "\n.SS %s\n", key->help);
        else if (key->preset[0])
            snprintf(entry, sizeof entry, "\n.TP\n.BI \"%s = \" %s\n%s\nDefault:\n.BR %s .\n", key->name,
                     key->argument, key->help, key->preset);
        else
            snprintf(entry, sizeof entry, "\n.TP\n.BI \"%s = \" %s\n%s\nEmpty by default.\n", key->name,
                     key->argument, key->help);
        if (!strstr(manual, entry))
            fail_msg("man/dfota.conf.5 does not hold:\n%s", entry);
    }
    for (size_t i = 0; i < FIRMWARE_FIELDS; i++) {
        const struct firmware_section_key *key = &firmware_section_keys[i];
        char entry[1024];
        snprintf(entry, sizeof entry, "\n.TP\n.BI \"%s = \" %s\n%s\n", key->name, key->argument, key->help);
        if (!strstr(manual, entry))
            fail_msg("man/dfota.conf.5 does not hold:\n%s", entry);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_default_program_is_beside_this_one),
        cmocka_unit_test(test_every_key_is_read_from_both),
        cmocka_unit_test(test_numbers_have_ends),
        cmocka_unit_test(test_command_line_wins_over_file),
        cmocka_unit_test(test_file_may_be_written_freely),
        cmocka_unit_test(test_errors_in_the_file_name_the_line),
        cmocka_unit_test(test_sections_of_firmware),
        cmocka_unit_test(test_errors_in_sections),
        cmocka_unit_test(test_long_line_is_refused),
        cmocka_unit_test(test_unreadable_file),
        cmocka_unit_test(test_errors_on_the_command_line),
        cmocka_unit_test(test_local_urls),
        cmocka_unit_test(test_url_for_modules),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_answer_status),
        cmocka_unit_test(test_sample_is_what_is_shipped),
        cmocka_unit_test(test_sample_holds_the_defaults),
        cmocka_unit_test(test_help_names_every_option_in_80_columns),
        cmocka_unit_test(test_manual_explains_every_key),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("config", tests, make_directory, remove_directory);
}
