/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The command line of `dfota`, which makes, applies and verifies delta packages. command.c does the work. */
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/chip.h"
#include "base/text.h"
#include "delta/command.h"

/* Documented in dfota(1). NEGATIVE: the files are the cause, and the same command fails again. MACHINE: a
   file cannot be read or written, or memory is short; the same command may succeed later. DISK: the disk
   is full or read-only; the same command succeeds when that is over. UNKNOWN: the package may be sound,
   but dfota cannot apply it. */
enum exit_status {
    EXIT_OK = 0,
    EXIT_NEGATIVE = 1,
    EXIT_USAGE = 2,
    EXIT_MACHINE = 3,
    EXIT_DISK = 4,
    EXIT_UNKNOWN = 5,
};

enum option_bit {
    OPTION_FORMAT = 1,
    OPTION_EXPECT_OLD = 2,
    OPTION_EXPECT_NEW = 4,
    OPTION_MAX_IMAGE = 8,
    OPTION_MAX_OUTPUT = 16,
    OPTION_HELP = 32,
    OPTION_VERSION = 64,
    OPTION_EFFORT = 128,
    OPTION_LOAD_ADDRESS = 256,
    OPTION_ANY_SIZE = 512,
    OPTION_CLOSED_LAST_PART = 1024,
    OPTION_BRIEF = 2048,
    OPTION_SUFFIX_FILE = 4096,
    OPTION_FULL = 8192,
    OPTION_CHIP = 16384,
    OPTION_PART = 32768,
};

static const struct option option_table[] = {
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"expect-old", required_argument, NULL, OPTION_EXPECT_OLD},
    {"expect-new", required_argument, NULL, OPTION_EXPECT_NEW},
    {"max-image", required_argument, NULL, OPTION_MAX_IMAGE},
    {"max-output", required_argument, NULL, OPTION_MAX_OUTPUT},
    {"effort", required_argument, NULL, OPTION_EFFORT},
    {"load-address", required_argument, NULL, OPTION_LOAD_ADDRESS},
    {"any-size", no_argument, NULL, OPTION_ANY_SIZE},
    {"closed-last-part", no_argument, NULL, OPTION_CLOSED_LAST_PART},
    {"suffix-file", required_argument, NULL, OPTION_SUFFIX_FILE},
    {"full", no_argument, NULL, OPTION_FULL},
    {"chip", required_argument, NULL, OPTION_CHIP},
    {"part", required_argument, NULL, OPTION_PART},
    {"brief", no_argument, NULL, OPTION_BRIEF},
    {"help", no_argument, NULL, OPTION_HELP},
    {"version", no_argument, NULL, OPTION_VERSION},
    {NULL, 0, NULL, 0},
};

static const struct command {
    const char *name;
    const char *usage;
    unsigned int takes; /* option bits besides --help and --version */
    int min_files, max_files;
    size_t max_bytes;
    bool (*run)(const struct command_options *options, char **file, size_t count, struct error *err);
} command_table[] = {
    {"diff",
     "[--format NAME] [--effort NAME] [--suffix-file FILE] [--load-address N] "
     "[--closed-last-part] [--chip NAME] [--part ap|cp] [--expect-old HEX] [--expect-new HEX] "
     "[--max-image BYTES] OLD NEW OUT",
     OPTION_FORMAT | OPTION_EFFORT | OPTION_LOAD_ADDRESS | OPTION_CLOSED_LAST_PART | OPTION_CHIP |
         OPTION_PART | OPTION_EXPECT_OLD | OPTION_EXPECT_NEW | OPTION_MAX_IMAGE | OPTION_SUFFIX_FILE,
     3, 3, COMMAND_MAX_IMAGE, command_diff},
    {"patch",
     "[--expect-old HEX] [--expect-new HEX] [--max-output BYTES] [--chip NAME] [--any-size] OLD PATCH OUT",
     OPTION_EXPECT_OLD | OPTION_EXPECT_NEW | OPTION_MAX_OUTPUT | OPTION_CHIP | OPTION_ANY_SIZE, 3, 3,
     COMMAND_MAX_OUTPUT, command_patch},
    {"verify",
     "[--expect-old HEX] [--expect-new HEX] [--max-output BYTES] [--chip NAME] [--any-size] OLD PATCH [NEW] | "
     "--full FULL NEW",
     OPTION_EXPECT_OLD | OPTION_EXPECT_NEW | OPTION_MAX_OUTPUT | OPTION_CHIP | OPTION_ANY_SIZE | OPTION_FULL,
     2, 3, COMMAND_MAX_OUTPUT, command_verify},
    {"full", "[--expect-new HEX] [--max-image BYTES] NEW OUT", OPTION_EXPECT_NEW | OPTION_MAX_IMAGE, 2, 2,
     COMMAND_MAX_IMAGE, command_full},
    {"unpack", "[--max-output BYTES] ARCHIVE OUT", OPTION_MAX_OUTPUT, 2, 2, COMMAND_MAX_OUTPUT,
     command_unpack},
    {"inspect", "[--brief] FILE", OPTION_BRIEF, 1, 1, COMMAND_MAX_OUTPUT, command_inspect},
};

#define COMMANDS (sizeof command_table / sizeof command_table[0])

struct request {
    const struct command *command;
    struct command_options options;
    struct sha256 expect_old, expect_new; /* `options` points to these and to `making` */
    struct engine_options making;
    bool help, version;
};

/* Prints the command with options and files, at most 80 columns wide. Brackets are not split. */
static void print_usage(const struct command *command)
{
    int column = printf("  dfota %-7s", command->name);
    for (const char *at = command->usage; *at;) {
        size_t len = strcspn(at, *at == '[' ? "]" : " ");
        len += at[len] == ']';
        if (column + 1 + (int)len > 80)
            column = printf("\n%15s", "") - 1;
        column += printf(" %.*s", (int)len, at);
        at += len + strspn(at + len, " ");
    }
    puts("");
}

static void print_help(void)
{
    puts("dfota makes, applies and verifies delta packages between two firmware images.\n");
    for (size_t i = 0; i < COMMANDS; i++)
        print_usage(&command_table[i]);
    puts("  dfota --help | --version\n");
    puts("Formats:");
    for (size_t i = 0; i < engine_count; i++) {
        const struct package_format *format = engine_table[i].format;
        printf("  %-13s for %s\n  %-13s of %s\n  %-13s wrapper: %s", format->name, format->devices, "",
               format->images, "", format->wrapper);
        if (format->chip == PACKAGE_CHIP_EC7XX)
            printf("; limit by chip");
        else if (format->max_bytes)
            printf("; at most %lld bytes", (long long)format->max_bytes);
        puts("");
    }
    puts("\nChips of EC716 and EC718 modules, and how many bytes an archive may have:");
    for (size_t i = 0; i < ec7xx_chip_count; i++)
        printf("  %-7s %6u%s", ec7xx_chip_table[i].name, ec7xx_chip_table[i].archive_bytes,
               i % 4 == 3 || i + 1 == ec7xx_chip_count ? "\n" : "");
    puts(
        "\nExit status: 0 success; 1 error in the files (wrong hash, bad package, too\n"
        "large); 2 usage; 3 error of the machine (no such file, no memory); 4 the disk is\n"
        "full or read-only; 5 dfota cannot apply packages of this format.\n"
        "See dfota(1).");
}

static bool read_hash(struct sha256 *value, const struct sha256 **ret, const char *option, struct error *err)
{
    if (!sha256_from_hex(slice_of(optarg), value))
        return error_set(err, ERROR_BAD_REQUEST, "--%s needs a SHA-256: 64 hex digits", option);
    *ret = value;
    return true;
}

static bool read_size(size_t *ret, const char *option, struct error *err)
{
    uint64_t value;
    if (!slice_u64(slice_of(optarg), &value) || value > INT32_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "--%s needs a number of bytes, at most %d", option,
                         INT32_MAX);
    *ret = (size_t)value;
    return true;
}

static bool read_format(const struct engine **ret, struct error *err)
{
    *ret = engine_find(optarg);
    if (!*ret)
        return error_set(err, ERROR_BAD_REQUEST, "unknown format %s; dfota --help lists the formats", optarg);
    return true;
}

static bool read_effort(enum engine_effort *ret, struct error *err)
{
    static const struct {
        const char *name;
        enum engine_effort effort;
    } known[] = {{"quick", ENGINE_QUICK}, {"good", ENGINE_GOOD}, {"best", ENGINE_BEST}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(optarg, known[i].name) == 0) {
            *ret = known[i].effort;
            return true;
        }
    return error_set(err, ERROR_BAD_REQUEST, "--effort is quick, good or best");
}

static bool read_load_address(struct engine_options *making, struct error *err)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(optarg, &end, 0);
    if (errno != 0 || end == optarg || *end || strchr(optarg, '-') || value > UINT32_MAX)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--load-address needs a number below 2^32, for example 0x24000");
    making->has_load_address = true;
    making->load_address = (uint32_t)value;
    return true;
}

/* The options of `diff` that decide how a package is made. */
static bool take_making(struct request *request, unsigned int bit, struct error *err)
{
    switch (bit) {
    case OPTION_EFFORT:
        return read_effort(&request->making.effort, err);
    case OPTION_LOAD_ADDRESS:
        return read_load_address(&request->making, err);
    case OPTION_CHIP:
        request->making.chip = optarg;
        return true;
    case OPTION_PART:
        request->options.part_given = true;
        request->making.raw_is_cp = strcmp(optarg, "cp") == 0;
        return request->making.raw_is_cp || strcmp(optarg, "ap") == 0 ||
               error_set(err, ERROR_BAD_REQUEST, "--part is ap or cp");
    default:
        request->making.closed_last_part = true;
        return true;
    }
}

static bool take_option(struct request *request, unsigned int bit, const char *name, struct error *err)
{
    if (bit != OPTION_HELP && bit != OPTION_VERSION && !(request->command && request->command->takes & bit))
        return error_set(err, ERROR_BAD_REQUEST, "--%s cannot be used here", name);
    switch (bit) {
    case OPTION_FORMAT:
        return read_format(&request->options.engine, err);
    case OPTION_EXPECT_OLD:
        return read_hash(&request->expect_old, &request->options.expect_old, name, err);
    case OPTION_EXPECT_NEW:
        return read_hash(&request->expect_new, &request->options.expect_new, name, err);
    case OPTION_MAX_IMAGE:
    case OPTION_MAX_OUTPUT:
        return read_size(&request->options.max_bytes, name, err);
    case OPTION_SUFFIX_FILE:
        request->options.suffix_file = optarg;
        return true;
    case OPTION_EFFORT:
    case OPTION_LOAD_ADDRESS:
    case OPTION_CLOSED_LAST_PART:
    case OPTION_CHIP:
    case OPTION_PART:
        return take_making(request, bit, err);
    case OPTION_ANY_SIZE:
        request->options.any_size = true;
        return true;
    case OPTION_FULL:
        request->options.full = true;
        return true;
    case OPTION_BRIEF:
        request->options.brief = true;
        return true;
    case OPTION_HELP:
        request->help = true;
        return true;
    default:
        request->version = true;
        return true;
    }
}

static bool read_options(struct request *request, int argc, char **argv, struct error *err)
{
    opterr = 0;
    int bit, place = 0;
    while ((bit = getopt_long(argc, argv, ":", option_table, &place)) != -1) {
        if (bit == ':')
            return error_set(err, ERROR_BAD_REQUEST, "%s needs a value", argv[optind - 1]);
        if (bit == '?')
            return error_set(err, ERROR_BAD_REQUEST, "unknown option %s", argv[optind - 1]);
        if (!take_option(request, (unsigned int)bit, option_table[place].name, err))
            return false;
    }
    return true;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(command_table[i].name, name) == 0)
            return &command_table[i];
    return NULL;
}

static bool run(int argc, char **argv, struct error *err)
{
    struct request request = {.options.engine =
                                  engine_find(package_format_table[PACKAGE_FORMAT_DEFAULT].name)};
    request.options.making = &request.making;
    if (argc > 1 && argv[1][0] != '-') {
        request.command = find_command(argv[1]);
        if (!request.command)
            return error_set(err, ERROR_BAD_REQUEST, "unknown command %s", argv[1]);
        request.options.max_bytes = request.command->max_bytes;
        argc--;
        argv++;
    }
    if (!read_options(&request, argc, argv, err))
        return false;
    if (request.help) {
        print_help();
        return true;
    }
    if (request.version) {
        puts("dfota " PACKAGE_VERSION);
        return true;
    }
    if (!request.command)
        return error_set(err, ERROR_BAD_REQUEST, "no command given; try dfota --help");
    int files = argc - optind;
    if (files < request.command->min_files || files > request.command->max_files)
        return error_set(err, ERROR_BAD_REQUEST, "usage: dfota %s %s", request.command->name,
                         request.command->usage);
    return request.command->run(&request.options, argv + optind, (size_t)files, err);
}

int main(int argc, char **argv)
{
    struct error err;
    text_begin();
    if (run(argc, argv, &err))
        return EXIT_OK;
    fputs("dfota: ", stderr);
    text_put(stderr, err.text);
    fputc('\n', stderr);
    switch (err.code) {
    case ERROR_INVALID:
    case ERROR_CORRUPT:
    case ERROR_TOO_LARGE:
        return EXIT_NEGATIVE;
    case ERROR_BAD_REQUEST:
        return EXIT_USAGE;
    case ERROR_NO_SPACE:
    case ERROR_UNAVAILABLE:
        return EXIT_DISK;
    case ERROR_CANNOT_APPLY:
        return EXIT_UNKNOWN;
    default:
        return EXIT_MACHINE;
    }
}
