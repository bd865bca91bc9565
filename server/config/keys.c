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
#include "server/config/origin_list.h"
#include "server/core/listen_address.h"
#include "upgrade/allowance.h"

#define MAX_CORES 256u
#define MAX_BYTES INT64_C(1000000000000) /* disk or memory; a larger number is a typing error */

static bool parse_number(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_per_core(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_rate(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_directory(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_program(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_address(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_listen(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_text(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_url(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_matrix(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_hosts(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_origins(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_level(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_log_format(const struct config_key *key, const char *value, void *field, struct error *err);
static bool parse_log_format(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    return log_format_parse(slice_of(value), (enum log_format *)field) ||
           error_set(err, ERROR_INVALID, "'%.60s' is not auto, text, json or journal", value);
}

static bool parse_effort(const struct config_key *key, const char *value, void *field, struct error *err);

/* clang-format off */
#define HEADING(text) {.help = text}
#define FIELD(field) #field, offsetof(struct config, field), sizeof(((struct config *)NULL)->field)
#define TEXT(field, when, preset, parse, argument, help) \
    {FIELD(field), true, when, parse, preset, 0, 0, argument, help}
#define OTHER(field, when, preset, parse, argument, help) \
    {FIELD(field), false, when, parse, preset, 1, MAX_CORES, argument, help}
#define WORD(field, when, preset, parse, argument, help) \
    {FIELD(field), false, when, parse, preset, 0, 0, argument, help}
#define NUMBER(field, when, preset, least, most, argument, help) \
    {FIELD(field), false, when, parse_number, preset, least, most, argument, help}
#define RATE(field, when, preset, argument, help) \
    {FIELD(field), false, when, parse_rate, preset, 0, MAX_BYTES, argument, help}
#define STATUS(code, help) NUMBER(status_##code, RELOADS, "400", 400, 599, "STATUS", help)

const struct config_key config_key_table[] = {
    HEADING("Where things are"),
    TEXT(data_dir, RESTARTS, "/var/lib/dfota", parse_directory, "DIR",
         "The directory for everything that the server keeps: the database, the images and the packages. The "
         "first start writes the admin's token to admin.token in it. The server creates the directory when "
         "it does not exist."),
    TEXT(dfota_path, RESTARTS, "", parse_program, "FILE",
         "The program that makes packages. Empty: dfota in the folder of dfotad."),

    HEADING("Listeners"),
    TEXT(device_listen, RESTARTS, "0.0.0.0:8080", parse_address, "HOST:PORT",
         "The address for modules, in plain HTTP. The host is an IP address, an IPv6 address in brackets. "
         "With port 0 the system chooses a free port, and the log names it."),
    TEXT(admin_listen, RESTARTS, "127.0.0.1:8081", parse_address, "HOST:PORT",
         "The address of the admin API, in plain HTTP. For other machines use admin_tls_listen, or a proxy with TLS in "
         "front."),
    TEXT(device_tls_listen, RESTARTS, "", parse_listen, "HOST:PORT",
         "A second address for modules, with TLS 1.2 and 1.3. Empty: none. AT firmware cannot use it, so device_listen "
         "stays in plain HTTP. What TLS of this server has sent counts as handed_over, not as delivered."),
    TEXT(device_tls_cert, RELOADS, "", parse_text, "FILE",
         "The certificate for device_tls_listen in PEM, followed by those that signed it. A reload reads it again."),
    TEXT(device_tls_key, RELOADS, "", parse_text, "FILE",
         "The private key of device_tls_cert in PEM, without a password. Empty: the key is in device_tls_cert."),
    TEXT(admin_tls_listen, RESTARTS, "", parse_listen, "HOST:PORT",
         "A second address of the admin API and the console, with TLS 1.2 and 1.3. Empty: none."),
    TEXT(admin_tls_cert, RELOADS, "", parse_text, "FILE",
         "The certificate for admin_tls_listen in PEM, followed by those that signed it. A reload reads it again."),
    TEXT(admin_tls_key, RELOADS, "", parse_text, "FILE",
         "The private key of admin_tls_cert in PEM, without a password. Empty: the key is in admin_tls_cert."),
    TEXT(public_device_url, RELOADS, "", parse_url, "URL",
         "The URL at which modules reach the device listener, as http://HOST or http://HOST:PORT. Links "
         "begin with it. https:// is for device_tls_listen or a TLS proxy in front, which must offer TLS 1.2; AT firmware "
         "needs plain http://. Empty: the address of device_listen when that is a single address; 0.0.0.0 and [::] "
         "cannot be used in links."),
    TEXT(device_proxies, RELOADS, "", parse_hosts, "ADDRESS...",
         "The IP addresses of your own proxies in front of device_listen, with blanks between them. What "
         "such a proxy has acknowledged counts as handed_over, not as delivered: the module behind it may "
         "have received less."),
    TEXT(admin_proxies, RELOADS, "", parse_hosts, "ADDRESS...",
         "The IP addresses of your own proxies in front of admin_listen, with blanks between them. Only such a "
         "proxy may tell the address of the client, in X-Forwarded-For or Forwarded. The proxy must write one of "
         "them and remove the other. The log and the ledger then have that address."),
    TEXT(admin_cors_origins, RELOADS, "", parse_origins, "ORIGIN...",
         "Web pages of these origins may use the admin API with a token (CORS). Write https://HOST or https://HOST:PORT, "
         "with blanks between two. Sessions and cookies of the console never work there. Empty: no other page may."),
    OTHER(loops, RESTARTS, "auto", parse_per_core, "N",
          "Event loops of each listener, one thread each. auto: one per processor core."),
    NUMBER(max_device_connections, RESTARTS, "4096", 1, 1000000, "N",
           "The number of device connections at the same time. At the limit the server closes the oldest "
           "connection whose request is not complete. When all requests are complete, it answers 503. "
           "Without TLS, a connection whose package is sent counts until the peer has acknowledged the package, or asks "
           "again. A connection uses one file descriptor, and up to four with TLS. The server lowers the limit at start "
           "when there are too few descriptors."),
    NUMBER(max_admin_connections, RESTARTS, "64", 1, 10000, "N",
           "The number of admin connections at the same time. At the limit the server acts as for "
           "max_device_connections."),
    NUMBER(head_timeout_ms, RESTARTS, "30000", 1, DAY_MS, "MS",
           "The time limit for a complete request head, from the moment of the connection."),
    NUMBER(body_timeout_ms, RESTARTS, "60000", 1, DAY_MS, "MS",
           "The time limit for a complete small request body, such as JSON."),
    NUMBER(idle_timeout_ms, RESTARTS, "120000", 1, DAY_MS, "MS",
           "The server closes an upload or an answer in which no byte moves for this time."),
    NUMBER(admin_keep_alive_ms, RESTARTS, "75000", 0, DAY_MS, "MS",
           "A connection to admin_listen stays open after an answer, and waits this long for the next request. A proxy in "
           "front must close its own idle connections earlier. At most half of max_admin_connections wait: beyond that the "
           "server closes the one that is idle for the longest time. 0: each answer closes its connection."),
    NUMBER(device_keep_alive_ms, RESTARTS, "0", 0, DAY_MS, "MS",
           "A connection of one of device_proxies to device_listen stays open after an answer without a package, and waits "
           "this long for the next request. The proxy must close its own idle connections earlier. At most half of "
           "max_device_connections wait. Connections of all other peers are closed after each answer, because modules "
           "expect that. Only for a proxy that speaks HTTP and closes its connection to the module after each answer. "
           "0: those of the proxies are closed too."),
    NUMBER(least_rate, RESTARTS, "128", 0, 1000000, "BYTES",
           "The lowest rate, in bytes per second, at which a peer must acknowledge an answer. It is an "
           "average over idle_timeout_ms, and over transfer_stall_ms after the last byte of a download was "
           "written. The server closes slower connections. A module on 2G reaches ten times this rate. 0: "
           "one byte in that time is enough."),
    NUMBER(transfer_stall_ms, RESTARTS, "600000", 1, DAY_MS, "MS",
           "The server gives a download up when the peer acknowledges nothing for this time. Modules with "
           "bad coverage need minutes."),

    NUMBER(max_transfers, RELOADS, "0", 0, 1000000, "N",
           "The number of packages that are sent at the same time. At this number, a further device gets code 43 when the wait is "
           "short, else code 27. A download that has begun can be continued at any time, and then counts too. 0: no "
           "limit."),
    RATE(max_bytes_per_second, RESTARTS, "0", "BYTES",
          "The bytes of packages that are sent per second, to all devices together. No transfer gets less than 16384 "
          "bytes per second, because modules give up after 30 seconds. So this key also limits the number of "
          "transfers, to BYTES / 16384. 0: no limit, else at least 16384."),

    HEADING("Disk and memory"),
    NUMBER(max_image_bytes, RELOADS, "67108864", 1, INT32_MAX, "BYTES",
           "The largest image. An upload of a larger image is answered with 413."),
    NUMBER(disk_reserve_bytes, RESTARTS, "67108864", 0, MAX_BYTES, "BYTES",
           "Space that stays free on the disk of data_dir. An upload that needs this space is answered with "
           "507."),
    NUMBER(package_cache_bytes, RESTARTS, "67108864", 0, MAX_BYTES, "BYTES",
           "Memory for packages that are being sent. Devices that download the same package share one copy."),

    HEADING("Devices"),
    NUMBER(max_new_devices_per_day, RELOADS, "10000", 0, 1000000000, "N",
           "The number of new devices that a product admits in a day. Further new devices are answered with "
           "code 21. Anyone can send a request in the name of a device, so this number limits how much a "
           "stranger can add to the database. One network (IPv4 /24, IPv6 /56) can use at most three "
           "quarters of the places that other networks have left."),
    NUMBER(loop_guard_per_day, RELOADS, "6", 1, 1000000, "N",
           "The number of packages that one device may begin in 24 hours. After that the device is answered "
           "with code 40 until an admin unblocks it."),
    NUMBER(link_offers, RELOADS, "3", 1, 1000000, "N",
           "How often a link offers the same package while no version is reported. After that the answer is "
           "code 27, and the admin sees a notice."),
    NUMBER(link_offer_gap_ms, RELOADS, "86400000", 0, 365 * DAY_MS, "MS",
           "The shortest time between two of these offers."),
    NUMBER(pin_idle_ms, RELOADS, "86400000", 1, 365 * DAY_MS, "MS",
           "How long a device can resume an interrupted download with the same bytes. The time begins with "
           "the last byte sent."),
    NUMBER(silent_after_ms, RELOADS, "604800000", 1, 10 * 365 * DAY_MS, "MS",
           "An attempt is called silent when its package is delivered and no report comes for this time. A "
           "later report still counts. Time in which the server does not run is not counted."),

    HEADING("Making packages"),
    OTHER(jobs, RESTARTS, "auto", parse_per_core, "N",
          "The number of packages that are made at the same time, one dfota process each. auto: one per "
          "processor core."),
    WORD(matrix, RESTARTS, "all", parse_matrix, "WHICH",
          "all: the server makes the package of each pair of a firmware's images, from each version to each "
          "higher one. It does so in the background, after all packages that were requested, so that paths "
          "are known before a device needs them. needed: only the packages that devices, paths and admins "
          "request."),
    NUMBER(job_cpu_s, RELOADS, "600", 1, 86400, "SECONDS",
           "Processor time limit of one dfota process."),
    NUMBER(job_memory_bytes, RELOADS, "1073741824", 0, MAX_BYTES, "BYTES",
           "Address space limit of one dfota process. 0: no limit, for programs that are built with a "
           "sanitizer."),
    NUMBER(job_wall_ms, RELOADS, "900000", 1, 7 * DAY_MS, "MS",
           "Time limit of one dfota process by the clock."),
    WORD(idle_effort, RELOADS, "good", parse_effort, "EFFORT",
         "The effort to make packages smaller that already fit, while there is no other work: none, good or "
         "best. Packages that devices download come first. best takes two to three times as long as good and "
         "saves little more."),
    NUMBER(background_share, RELOADS, "50", 0, 100, "PERCENT",
           "The share of jobs that may work in the background at the same time: on pairs that no device "
           "waits for, and for idle_effort. One background job is always allowed."),

    HEADING("Growth"),
    NUMBER(ledger_keep_days, RELOADS, "3650", 0, 36500, "DAYS",
           "Older rows of the ledger are removed once a day. A checkpoint row records the removal. 0: all "
           "rows are kept."),

    NUMBER(check_ins_keep_days, RELOADS, "730", 0, 36500, "DAYS",
           "How long it is kept on which days a device asked, and how often. 0: as long as the ledger."),
    NUMBER(attempts_kept, RELOADS, "200", 0, 1000000, "N",
           "The newest attempts of a device that are kept. Older ones are removed once a day, except those that "
           "were confirmed, that a transcript is about, or that are the last for a target. 0: all are kept."),
    NUMBER(unknown_files_keep_days, RELOADS, "30", 0, 36500, "DAYS",
           "A file in blobs/ that the database has not named for this time is removed. 0: never."),

    HEADING("Backup"),
    NUMBER(backup_warn_days, RELOADS, "7", 0, 3650, "DAYS",
           "Without a backup by dfotactl for this time the log, dfotactl status and the console say so. 0: "
           "never, for servers that are backed up in another way."),

    HEADING("Log"),
    WORD(log_level, RELOADS, "info", parse_level, "LEVEL",
          "The lowest level that is logged: debug, info, warn or error. The log goes to standard error."),
    WORD(log_format, RESTARTS, "auto", parse_log_format, "FORMAT",
         "The form of the log: text (key=value), json (one object per line), or journal (text after the "
         "syslog priority, such as <4>). auto is journal when standard error is the journal of systemd, else "
         "text."),
    NUMBER(log_lines_per_second, RELOADS, "5", 0, 1000000, "N",
           "The number of lines of one event that are logged per second, after a burst of 1000. Lines that a "
           "stranger can cause get a fifth of it, after a burst of 100. Lines that are left out are counted: "
           "suppressed=N. 0: no limit."),

    HEADING("HTTP status of each refusal to a device, 400 to 599"),
    STATUS(3, "No valid imei, mac or uid, or an unknown link."),
    STATUS(17, "The firmware belongs to another product."),
    STATUS(21, "The device may not upgrade, or no path leads to the target."),
    STATUS(25, "Unknown or missing project_key."),
    STATUS(26, "The product has no firmware with this name."),
    STATUS(27, "The device is up to date, no target is set, all offers of the link are used, or the device must wait "
           "for more than three minutes."),
    STATUS(40, "The loop guard is closed until an admin unblocks the device."),
    STATUS(43, "The package is being made, or the device must wait for at most three minutes: ask again."),
    STATUS(44, "The server does not have the image that the device runs."),
};
/* clang-format on */

const size_t config_key_count = sizeof config_key_table / sizeof config_key_table[0];

static bool parse_number(const struct config_key *key, const char *value, void *field, struct error *err)
{
    uint64_t number;
    if (!slice_u64(slice_of(value), &number) || number < key->least || number > key->most)
        return error_set(err, ERROR_INVALID, "'%.60s' is not a whole number from %llu to %llu", value,
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

static bool parse_per_core(const struct config_key *key, const char *value, void *field, struct error *err)
{
    if (strcmp(value, "auto") != 0)
        return parse_number(key, value, field, err);
    *(uint64_t *)field = count_cores();
    return true;
}

static bool parse_rate(const struct config_key *key, const char *value, void *field, struct error *err)
{
    uint64_t number;
    if (!slice_u64(slice_of(value), &number) || number > key->most ||
        (number && number < ALLOWANCE_LEAST_RATE))
        return error_set(err, ERROR_INVALID, "'%.60s' is neither 0 nor a whole number from %d to %llu", value,
                         ALLOWANCE_LEAST_RATE, (unsigned long long)key->most);
    *(uint64_t *)field = number;
    return true;
}

static bool copy_text(const char *value, void *field, struct error *err)
{
    char *copy = strdup(value);
    if (!copy)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    free(*(char **)field);
    *(char **)field = copy;
    return true;
}

static bool parse_directory(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    if (value[0] == '\0')
        return error_set(err, ERROR_INVALID, "a directory must be given");
    return copy_text(value, field, err);
}

static bool parse_program(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    if (value[0] != '\0')
        return copy_text(value, field, err);
    char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    while (length > 0 && path[length - 1] != '/')
        length--;
    if (length <= 0 || (size_t)length + sizeof "dfota" > sizeof path)
        return error_set(err, ERROR_INVALID,
                         "cannot find the folder of this program (is /proc mounted?): set the path");
    memcpy(path + length, "dfota", sizeof "dfota");
    return copy_text(path, field, err);
}

static bool parse_address(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    struct sockaddr_storage ignored;
    return listen_address_parse(value, &ignored, err) && copy_text(value, field, err);
}

static bool parse_listen(const struct config_key *key, const char *value, void *field, struct error *err)
{
    return value[0] ? parse_address(key, value, field, err) : copy_text(value, field, err);
}

static bool parse_text(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    return copy_text(value, field, err);
}

static bool parse_url(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    return (!value[0] || device_url_check(value, err)) && copy_text(value, field, err);
}

static bool parse_matrix(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    bool all = strcmp(value, "all") == 0;
    if (!all && strcmp(value, "needed") != 0)
        return error_set(err, ERROR_INVALID, "'%.60s' is neither all nor needed", value);
    *(enum matrix_mode *)field = all ? MATRIX_ALL : MATRIX_NEEDED;
    return true;
}

/* Stores each address in the form of inet_ntop(), which the gate uses for the address of a peer. */
static bool parse_hosts(const struct config_key *key, const char *value, void *field, struct error *err)
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
            return error_set(err, ERROR_INVALID,
                             "'%.*s' is not an IP address; write blanks between addresses",
                             (int)(one.len < 60 ? one.len : 60), one.ptr);
        inet_ntop(family, address, host, sizeof host);
        int more = snprintf(text + len, sizeof text - len, "%s%s", len ? " " : "", host);
        if (more < 0 || (size_t)more >= sizeof text - len)
            return error_set(err, ERROR_INVALID, "too many addresses");
        len += (size_t)more;
    }
    return copy_text(text, field, err);
}

static bool parse_origins(const struct config_key *key, const char *value, void *field, struct error *err)
{
    char text[4096];
    (void)key;
    return origin_list_parse(value, text, sizeof text, err) && copy_text(text, field, err);
}

static bool parse_level(const struct config_key *key, const char *value, void *field, struct error *err)
{
    (void)key;
    if (!log_level_parse(slice_of(value), (enum log_level *)field))
        return error_set(err, ERROR_INVALID, "'%.60s' is not debug, info, warn or error", value);
    return true;
}

static bool parse_effort(const struct config_key *key, const char *value, void *field, struct error *err)
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
    return error_set(err, ERROR_INVALID, "'%.60s' is not none, good or best", value);
}

void *config_key_field(const struct config_key *key, struct config *config)
{
    return (char *)config + key->offset;
}

bool config_key_equal(const struct config_key *key, const struct config *a, const struct config *b)
{
    const char *x = (const char *)a + key->offset, *y = (const char *)b + key->offset;
    return key->owned ? strcmp(*(char *const *)x, *(char *const *)y) == 0 : memcmp(x, y, key->size) == 0;
}

bool config_key_copy(const struct config_key *key, const struct config *from, struct config *to,
                     struct error *err)
{
    const char *source = (const char *)from + key->offset;
    void *target = config_key_field(key, to);
    if (key->owned)
        return copy_text(*(char *const *)source, target, err);
    memcpy(target, source, key->size);
    return true;
}

bool config_key_set(const struct config_key *key, const char *value, const char *where, struct config *config,
                    struct error *err)
{
    struct error why;
    if (!slice_is_clean_utf8(slice_of(value)))
        return error_set(err, ERROR_INVALID, "%s: %s is not valid UTF-8 without control characters", where,
                         key->name);
    if (!key->parse(key, value, config_key_field(key, config), &why))
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
