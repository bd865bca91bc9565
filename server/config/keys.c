/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/config/keys.h"

#include <arpa/inet.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/clock.h"
#include "server/config/device_url.h"
#include "server/core/listen_address.h"

#define MAX_CORES 256u
#define MAX_BYTES INT64_C(1000000000000) /* of disk or memory: a typing error beyond that */

static bool take_number(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_per_core(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_directory(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_program(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_address(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_url(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_matrix(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_hosts(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_level(const struct config_key *key, const char *value, void *field, struct error *err);
static bool take_effort(const struct config_key *key, const char *value, void *field, struct error *err);

/* clang-format off */
#define HEADING(text) {.help = text}
#define TEXT(field, preset, take, argument, help) \
    {#field, offsetof(struct config, field), true, take, preset, 0, 0, argument, help}
#define OTHER(field, preset, take, argument, help) \
    {#field, offsetof(struct config, field), false, take, preset, 1, MAX_CORES, argument, help}
#define WORD(field, preset, take, argument, help) \
    {#field, offsetof(struct config, field), false, take, preset, 0, 0, argument, help}
#define NUMBER(field, preset, least, most, argument, help) \
    {#field, offsetof(struct config, field), false, take_number, preset, least, most, argument, help}
#define STATUS(code, help) NUMBER(status_##code, "400", 400, 599, "STATUS", help)

const struct config_key config_key_table[] = {
    HEADING("Where things are"),
    TEXT(data_dir, "/var/lib/dfota", take_directory, "DIR",
         "Everything the server keeps: the database, the images and packages, and, after the first start, the admin's token "
         "in admin.token. Made when it is not there."),
    TEXT(dfota_path, "", take_program, "FILE",
         "The program that makes packages. Empty: the dfota beside dfotad."),

    HEADING("Listeners"),
    TEXT(device_listen, "0.0.0.0:8080", take_address, "HOST:PORT",
         "Where modules ask, in plain HTTP. The host is an address, an IPv6 one in brackets; port 0 takes any free port, which "
         "the log names."),
    TEXT(admin_listen, "127.0.0.1:8081", take_address, "HOST:PORT",
         "Where the admin API listens. It has no TLS of its own: beyond this machine put a proxy in front."),
    TEXT(public_device_url, "", take_url, "URL",
         "What modules reach the device listener by, as http://HOST or http://HOST:PORT: links are built on it. https:// is for "
         "a TLS proxy in front, which has to offer TLS 1.2; AT firmware needs plain http://. Empty: the address of "
         "device_listen, where that is a single one; 0.0.0.0 and [::] cannot be used in links."),
    TEXT(device_proxies, "", take_hosts, "ADDRESS...",
         "Proxies of your own in front of device_listen, by their addresses, with blanks between them. What such a peer has "
         "acknowledged is handed_over and not delivered: the module behind it may have less."),
    OTHER(loops, "auto", take_per_core, "N",
          "Event loops of each listener, one thread each. auto: one per core."),
    NUMBER(max_device_connections, "4096", 1, 1000000, "N",
           "Device connections at once. At the limit the oldest one whose request is not whole is closed; where all are whole, "
           "503. Each takes a file descriptor, and a second one while a package is sent: lowered at start where there are not "
           "enough."),
    NUMBER(max_admin_connections, "64", 1, 10000, "N",
           "Admin connections at once; at the limit as for max_device_connections."),
    NUMBER(head_timeout_ms, "30000", 1, DAY_MS, "MS",
           "Time for a whole request head, from the moment of the connection."),
    NUMBER(body_timeout_ms, "60000", 1, DAY_MS, "MS",
           "Time for the whole of a small request body, such as JSON."),
    NUMBER(idle_timeout_ms, "120000", 1, DAY_MS, "MS",
           "An upload or an answer during which nothing moves for so long is cut off."),
    NUMBER(least_rate, "128", 0, 1000000, "BYTES",
           "Bytes a second that the peer of an answer must acknowledge, on average over idle_timeout_ms, and of a download over "
           "transfer_stall_ms once all of it is written; a slower one is cut off. A module on 2G takes ten times as many. 0: any "
           "byte in that time will do."),
    NUMBER(transfer_stall_ms, "600000", 1, DAY_MS, "MS",
           "A download is given up once the peer has acknowledged nothing for so long. Modules in bad coverage take minutes."),

    HEADING("Room"),
    NUMBER(max_image_bytes, "67108864", 1, INT32_MAX, "BYTES",
           "The largest image that is taken; a larger one is answered 413."),
    NUMBER(disk_reserve_bytes, "67108864", 0, MAX_BYTES, "BYTES",
           "Kept free on the disk of data_dir: an image that would need it is answered 507."),
    NUMBER(package_cache_bytes, "67108864", 0, MAX_BYTES, "BYTES",
           "Memory for packages that are being sent, so that many devices share one copy."),

    HEADING("Devices"),
    NUMBER(max_new_devices_per_day, "10000", 0, 1000000000, "N",
           "Devices never seen before that are admitted per product within a day; others are answered code 21. Requests of "
           "devices prove nothing about who sent them, so this bounds what a stranger can fill the database with. One network "
           "(IPv4 /24, IPv6 /56) brings at most three quarters of what the others have left."),
    NUMBER(loop_guard_per_day, "6", 1, 1000000, "N",
           "Packages that one device may begin within 24 hours; after that it is answered code 40 until an admin unblocks it."),
    NUMBER(link_offers, "3", 1, 1000000, "N",
           "How often a link offers the same package while nobody reports a version; then code 27 and a notice to the admin."),
    NUMBER(link_offer_gap_ms, "86400000", 0, 365 * DAY_MS, "MS",
           "The least time between two of these offers."),
    NUMBER(pin_idle_ms, "86400000", 1, 365 * DAY_MS, "MS",
           "How long an interrupted download can be resumed with the same bytes, from the last byte that was sent."),
    NUMBER(silent_after_ms, "604800000", 1, 10 * 365 * DAY_MS, "MS",
           "An attempt whose package is delivered and that nobody has reported on for so long is called silent; what is "
           "reported later still counts. Only time counts that the server runs."),

    HEADING("Making packages"),
    OTHER(jobs, "auto", take_per_core, "N",
          "Packages made at the same time, one dfota process each. auto: one per core."),
    WORD(matrix, "all", take_matrix, "WHICH",
          "all: every pair of a firmware's images, from each version to each higher one, is made in the background, after all that "
          "is asked for, so that a path is known before it is needed. needed: only what devices, plans and admins ask for."),
    NUMBER(job_cpu_s, "600", 1, 86400, "SECONDS",
           "Processor time of one dfota process."),
    NUMBER(job_memory_bytes, "1073741824", 0, MAX_BYTES, "BYTES",
           "Address space of one dfota process. 0: no limit, as programs built with a sanitizer need it."),
    NUMBER(job_wall_ms, "900000", 1, 7 * DAY_MS, "MS",
           "Time by the clock of one dfota process."),
    WORD(idle_effort, "good", take_effort, "EFFORT",
         "How hard packages that fit are made smaller when nothing else is to be done: none, good or best. Those that devices "
         "take come first. Best takes two to three times as long as good, and gains little more."),
    NUMBER(background_share, "50", 0, 100, "PERCENT",
           "The share of jobs that may be in the background at once: pairs that no device waits for, and what idle_effort "
           "asks for. One always may."),

    HEADING("Ledger"),
    NUMBER(ledger_keep_days, "0", 0, 36500, "DAYS",
           "Rows of the ledger that are older are removed once a day, under a checkpoint. 0: all are kept."),

    HEADING("Log"),
    WORD(log_level, "info", take_level, "LEVEL",
          "The least that is logged: debug, info, warn or error. The log goes to standard error."),
    NUMBER(log_lines_per_second, "5", 0, 1000000, "N",
           "Lines of one event that are logged a second, after a burst of 1000. Lines that a stranger causes get a fifth, after a "
           "burst of 100. What is left out is counted: suppressed=N. 0: no limit."),

    HEADING("HTTP status of each refusal to a device, 400 to 599"),
    STATUS(3, "No usable imei, mac or uid, or an unknown link."),
    STATUS(17, "The firmware belongs to another product."),
    STATUS(21, "This device or this path may not upgrade."),
    STATUS(25, "Unknown or missing project_key."),
    STATUS(26, "The product has no such firmware."),
    STATUS(27, "Up to date, no target set, or a link offered often enough."),
    STATUS(40, "Loop guard, until an admin unblocks the device."),
    STATUS(43, "The package is being generated: ask again later."),
    STATUS(44, "The image that the device runs is not here."),
};
/* clang-format on */

const size_t config_key_count = sizeof config_key_table / sizeof config_key_table[0];

static bool take_number(const struct config_key *key, const char *value, void *field, struct error *err)
{
    uint64_t number;
    if (!slice_u64(slice_of(value), &number) || number < key->least || number > key->most)
        return error_set(err, ERROR_INVALID, "'%.60s' is no whole number from %llu to %llu", value,
                         (unsigned long long)key->least, (unsigned long long)key->most);
    *(uint64_t *)field = number;
    return true;
}

static uint64_t count_cores(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > (int)MAX_CORES ? MAX_CORES : (uint64_t)count;
}

static bool take_per_core(const struct config_key *key, const char *value, void *field, struct error *err)
{
    if (strcmp(value, "auto") != 0)
        return take_number(key, value, field, err);
    *(uint64_t *)field = count_cores();
    return true;
}

static bool take_text(const char *value, void *field, struct error *err)
{
    char *copy = strdup(value);
    if (!copy)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    free(*(char **)field);
    *(char **)field = copy;
    return true;
}

static bool take_directory(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    if (value[0] == '\0')
        return error_set(err, ERROR_INVALID, "a directory is needed");
    return take_text(value, field, err);
}

static bool take_program(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    if (value[0] != '\0')
        return take_text(value, field, err);
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length <= 0 || (size_t)length + sizeof "dfota" > sizeof path)
        return error_set(err, ERROR_INVALID,
                         "cannot tell where this program stands (is /proc mounted?): give its path");
    memcpy(path + length, "dfota", sizeof "dfota");
    return take_text(path, field, err);
}

static bool take_address(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    struct sockaddr_storage ignored;
    return listen_address_parse(value, &ignored, err) && take_text(value, field, err);
}

static bool take_url(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    return (!value[0] || device_url_check(value, err)) && take_text(value, field, err);
}

static bool take_matrix(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    bool all = strcmp(value, "all") == 0;
    if (!all && strcmp(value, "needed") != 0)
        return error_set(err, ERROR_INVALID, "'%.60s' is neither all nor needed", value);
    *(enum matrix_mode *)field = all ? MATRIX_ALL : MATRIX_NEEDED;
    return true;
}

/* Addresses, each as inet_ntop() writes it, as the gate does with a peer's. */
static bool take_hosts(const struct config_key *key, const char *value, void *field, struct error *err)
{
    char text[1024] = "", host[INET6_ADDRSTRLEN];
    struct slice rest = slice_of(value), one;
    size_t len = 0;
    (void)key;
    while (slice_split(&rest, ' ', &one)) {
        unsigned char address[sizeof(struct in6_addr)];
        if (!one.len)
            continue;
        int family = memchr(one.ptr, ':', one.len) ? AF_INET6 : AF_INET;
        if (!slice_copy(one, host, sizeof host) || inet_pton(family, host, address) != 1)
            return error_set(err, ERROR_INVALID, "'%.*s' is no address; several have blanks between them",
                             (int)(one.len < 60 ? one.len : 60), one.ptr);
        inet_ntop(family, address, host, sizeof host);
        int more = snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "", host);
        if (more < 0 || (size_t)more >= sizeof text - len)
            return error_set(err, ERROR_INVALID, "these are too many addresses");
        len += (size_t)more;
    }
    return take_text(text, field, err);
}

static bool take_level(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    if (!log_level_parse(slice_of(value), (enum log_level *)field))
        return error_set(err, ERROR_INVALID, "'%.60s' is none of debug, info, warn, error", value);
    return true;
}

static bool take_effort(const struct config_key *key, const char *value, void *field, struct error *err)
{
    static const struct {
        const char *name;
        enum package_effort effort;
    } known[] = {{"none", EFFORT_NONE}, {"good", EFFORT_GOOD}, {"best", EFFORT_BEST}};
    (void)key;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(value, known[i].name) == 0) {
            *(enum package_effort *)field = known[i].effort;
            return true;
        }
    return error_set(err, ERROR_INVALID, "'%.60s' is none of none, good, best", value);
}

void *config_key_field(const struct config_key *key, struct config *config)
{
    return (char *)config + key->offset;
}

bool config_key_set(const struct config_key *key, const char *value, const char *where, struct config *config,
                    struct error *err)
{
    struct error why;
    if (!slice_is_clean_utf8(slice_of(value)))
        return error_set(err, ERROR_INVALID, "%s: %s is not clean UTF-8", where, key->name);
    if (!key->take(key, value, config_key_field(key, config), &why))
        return error_set(err, why.code == ERROR_INTERNAL ? ERROR_INTERNAL : ERROR_INVALID, "%s: %s: %s",
                         where, key->name, why.text);
    return true;
}

const struct config_key *config_key_find(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (config_key_table[i].name && strcmp(config_key_table[i].name, name) == 0)
            return &config_key_table[i];
    return NULL;
}
