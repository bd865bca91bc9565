/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/command.h"

#include <stdint.h>
#include <string.h>
#include "ctl/option.h"
#include "ctl/text.h"

#define BIT OPTION_BIT

static const struct command table[] = {
    {"status", "", 0, 0, "what the server is doing", NULL, status_show},

    {"product add", "NAME", BIT(OPTION_KEY), 0, "add a product",
     "The key is what modules send as project_key. Without --key the server makes one.", product_add},
    {"product set", "KEY", BIT(OPTION_TRUSTED_CHECK_INS) | BIT(OPTION_BY), BIT(OPTION_TRUSTED_CHECK_INS),
     "whether its check-ins are trusted",
     "Say yes only where nobody but its modules can reach the device listener, as in a private APN. What a module says in a check-in "
     "then counts like a report of its host, and all requests of a device count together.",
     product_set},
    {"product list", "", 0, 0, "list the products", NULL, product_list},

    {"image upload", "FILE…", BIT(OPTION_AS) | BIT(OPTION_FIRMWARE) | BIT(OPTION_VERSION), 0,
     "upload full images",
     "Firmware and version are read from the file name (AirM2M_780E_V1138_LTE_AT.dfota.bin, "
     "fotademo_1103.1.2_LuatOS-SoC_EC618.bin), or given for one file with --firmware and --version. A file "
     "that the "
     "server refuses does not keep it from the others.",
     image_upload},
    {"image list", "[FIRMWARE]", 0, 0, "list the images of a firmware, or of all", NULL, image_list},
    {"image get", "FIRMWARE VERSION OUT", 0, 0, "download an image",
     "OUT is written only when all bytes are there and have the SHA-256 that the server names.", image_get},

    {"image withdraw", "FIRMWARE VERSION", BIT(OPTION_REASON), BIT(OPTION_REASON),
     "nothing leads to this version any more",
     "No device is offered it, a download of it that is under way cannot be continued, and where it is the target the firmware "
     "has none afterwards. What leads away from it stays.",
     image_withdraw},
    {"image restore", "FIRMWARE VERSION", 0, 0, "take back a withdrawal",
     "Where it was the target, the target has to be set again.", image_restore},
    {"image waypoint", "FIRMWARE VERSION allowed|forbidden|required", BIT(OPTION_REASON), 0,
     "whether paths may, or must, lead over this version",
     "forbidden: no path stops there, but it can be a target. required: every path that passes it stops there; --reason says why.",
     image_waypoint},
    {"image delete", "FIRMWARE VERSION", 0, 0, "delete an image that no device needs",
     "Its packages go with it. Refused while it is the target, a device runs it, or one is on the way to it.",
     image_delete},

    {"firmware list", "", 0, 0, "list the firmwares of the product", NULL, firmware_list},
    {"firmware show", "FIRMWARE", 0, 0, "show a firmware and what it still needs", NULL, firmware_show},
    {"firmware set", "FIRMWARE", BIT(OPTION_FORMAT) | BIT(OPTION_MAX_PACKAGE_BYTES) | BIT(OPTION_DOWNGRADES),
     0, "set package format, size limit, downgrades",
     "Formats: bsdiff for devices that apply what bspatch does; ec618-at, ec618-csdk and ec618-luatos for EC618 "
     "modules (Air780E) by their firmware; external for what the server's configured command makes; none makes no packages. All settings hold from the next request on.",
     firmware_set},

    {"target set", "FIRMWARE VERSION", 0, 0, "every device should get to VERSION", NULL, target_set},
    {"target clear", "FIRMWARE", 0, 0, "offer no upgrades any more", NULL, target_clear},
    {"missing-bases", "FIRMWARE", 0, 0, "versions that devices run and that are not here", NULL,
     missing_bases_list},

    {"path", "FROM TO", BIT(OPTION_FIRMWARE) | BIT(OPTION_WAIT), 0, "the way from one version to another",
     "Each hop with its size; what was ruled out and why; where there is no path, what would help. --wait asks for the "
     "packages that are still to be made, and waits until it is settled. --firmware may be left out where the product has "
     "one firmware.",
     path_show},

    {"package list", "FIRMWARE", 0, 0, "list the packages of a firmware", NULL, package_list},
    {"package show", "FIRMWARE FROM TO", BIT(OPTION_WAIT), 0, "show one package", NULL, package_show},
    {"package log", "FIRMWARE FROM TO", 0, 0, "print what an external command said", NULL, package_log},
    {"package make", "FIRMWARE FROM TO", BIT(OPTION_WAIT), 0, "make a package now, not at the first request",
     "A failed package is made again.", package_make},
    {"package get", "FIRMWARE FROM TO OUT", BIT(OPTION_WAIT), 0, "download a package",
     "OUT is written only when all bytes are there and have the SHA-256 that the server names. A package "
     "over the limit "
     "is not to be had.",
     package_get},
    {"package upload", "FIRMWARE FROM TO FILE", BIT(OPTION_BY) | BIT(OPTION_AS), BIT(OPTION_BY),
     "upload a package made elsewhere",
     "It takes the place of any other for these two versions. What can be applied here is applied to the image of FROM and "
     "has to give the one of TO; what cannot be is unproven and goes to no device before it is released.",
     package_upload},
    {"package forget", "FIRMWARE FROM TO", BIT(OPTION_BY), 0, "take an uploaded package away", NULL,
     package_forget},
    {"package release", "FIRMWARE FROM TO", BIT(OPTION_NOTE) | BIT(OPTION_BY) | BIT(OPTION_YES),
     BIT(OPTION_NOTE), "send an unproven package to devices",
     "Shows the package and asks for the beginning of its SHA-256, unless --yes is given. The release is for these very "
     "bytes; --by, else the name of the user, and --note stay with them, and every attempt with them says so.",
     package_release},
    {"package unrelease", "FIRMWARE FROM TO", BIT(OPTION_BY), 0, "take a release back",
     "A transfer under way ends at its next range.", package_unrelease},

    {"matrix", "FIRMWARE", BIT(OPTION_PRINT_CSV), 0, "the sizes of all pairs of images, as a table",
     "A row for each version that an upgrade leads from, a column for each that it leads to; sizes in KB. What is over the "
     "limit is red on a terminal and has ! behind it elsewhere (and with NO_COLOR); … is still to be made, x could not be made, ? is "
     "unproven. With many versions the table comes in blocks of columns.",
     matrix_show},
    {"queue", "[FIRMWARE]", 0, 0, "what is being made, who waits for it, and how long it takes",
     "The first 20 packages of each firmware, in the order in which they are made; -o json tells up to 1000.",
     queue_show},

    {"device list", "",
     BIT(OPTION_FIRMWARE) | BIT(OPTION_NOTICE) | BIT(OPTION_CONFLICTS) | BIT(OPTION_PRINT_CSV), 0,
     "list the devices", NULL, device_list},
    {"device show", "DEVICE", 0, 0, "all that is known of a device, and why it got its last answer",
     "DEVICE is imei:…, mac:… or uid:…; without a prefix 14 to 16 digits are an IMEI, 12 hex digits a MAC, "
     "all else a UID.",
     device_show},
    {"outcomes", "FIRMWARE", BIT(OPTION_STATE) | BIT(OPTION_OLDER_THAN) | BIT(OPTION_PRINT_CSV), 0,
     "what became of each device on its way to the target",
     "Counts first, then a line a device: confirmed, confirmed without a delivery from here (confirmed_not_by_us), delivered and no more, not applied, silent, waiting, unreachable by any path. "
     "--state delivered,silent --older-than 24h: who was delivered and never confirmed for a day.",
     outcomes_show},
    {"explain", "DEVICE", BIT(OPTION_FIRMWARE) | BIT(OPTION_VERSION) | BIT(OPTION_LINK) | BIT(OPTION_DIALECT),
     0, "what would it be answered now, and why?",
     "The same decision as for its next request, rule by rule, and nothing of it is recorded. It asks in the way in which the device "
     "asked last, or over its newest link; --link N and --dialect choose another way. Without --version it asks from the version that "
     "it asked from last.",
     explain_show},
    {"device unblock", "DEVICE", 0, 0, "lift the loop guard (code 40)", NULL, device_unblock},
    {"device accept", "DEVICE VERSION", BIT(OPTION_BY), 0, "let a claim of a lower grade count",
     "VERSION is that of the claim, as device show tells it: if another claim has come since, nothing changes. The device then goes on "
     "by what the same source says; a report of a higher grade replaces it.",
     device_accept},
    {"device dismiss", "DEVICE", BIT(OPTION_BY), 0, "drop a claim of a lower grade", NULL, device_dismiss},
    {"device link", "DEVICE", BIT(OPTION_VERSION) | BIT(OPTION_FIRMWARE) | BIT(OPTION_WAIT), 0,
     "a URL to type into an AT module, with the commands",
     "--version is the version that the module runs; without it the link uses what was reported last. "
     "--firmware may be "
     "left out where the version is a full name, the device is known, or the product has one firmware. "
     "--wait returns "
     "when the package that the link needs is made: a module that asks earlier is told to come back.",
     device_link},
    {"device links", "FIRMWARE", BIT(OPTION_CSV) | BIT(OPTION_VERSION), BIT(OPTION_CSV),
     "a link for each IMEI of a CSV file",
     "One IMEI[,VERSION] a line; --version is for lines without one. All links are made or none.",
     device_links},
    {"device revoke", "DEVICE", BIT(OPTION_LINK), 0, "revoke the links of a device, or one of them", NULL,
     device_revoke},

    {"report", "DEVICE FILE", BIT(OPTION_CAPTURED_AT), 0, "send in what a host captured of its module",
     "FILE is the raw text of the serial line, \"-\" standard input. What it tells is shown, and counts as a "
     "report where it is newer than what is confirmed; --captured-at says when it was written down, for a text "
     "without the network's time (+NITZ).",
     report_send},
    {"reports import", "FILE", BIT(OPTION_FIRMWARE), 0, "versions of many devices, from a CSV file",
     "One IMEI,VERSION[,TIME] a line, the time in milliseconds since 1970, now where it is left out. All lines "
     "are taken or none; those older than what is confirmed are named and change nothing. --firmware may be "
     "left out where the product has one.",
     report_import},
    {"transcripts", "DEVICE [N]", 0, 0, "what was captured of a device, or one of them read",
     "-o json with N has the text too.", transcript_list},

    {"unknown list", "", 0, 0, "names, versions and ids of devices that the server refuses",
     "What devices sent and got code 25, 26, 17, 44 or 3 for, the newest first, each with what to do about it. With --product only "
     "those of that product. At most 100 rows of a product are kept; DEVICES counts up to 8.",
     unknown_list},
    {"unknown forget", "ROW", 0, 0, "remove a row of that list, or all", "ROW is its number, or all.",
     unknown_forget},

    {"ledger list", "",
     BIT(OPTION_PRINT_CSV) | BIT(OPTION_DEVICE) | BIT(OPTION_KIND) | BIT(OPTION_SINCE) | BIT(OPTION_UNTIL), 0,
     "what happened, one row a fact",
     "All rows that fit, oldest first: narrow it with the options. With --product only those of that product. What each "
     "kind of row says is in ledger.md.",
     ledger_list},
    {"ledger head", "", 0, 0, "the last row's number and hash, to be kept elsewhere", NULL, ledger_head},
    {"ledger verify", "", BIT(OPTION_AGAINST), 0, "recompute the whole chain of hashes here",
     "Finds a changed, missing or moved row. Whether the end is missing, or all of it was computed anew, shows only against "
     "a head that was kept elsewhere: dfotactl ledger head -o json > FILE, and later --against FILE.",
     ledger_verify},
    {"ledger prune", "", BIT(OPTION_BEFORE) | BIT(OPTION_BY), BIT(OPTION_BEFORE),
     "remove old rows under a checkpoint",
     "What is left still verifies. Export the head before, and keep it with what was exported of the rows.",
     ledger_prune},
};

#define HELP_LEFT 32 /* columns of the list's left side */
#define COMMANDS  (sizeof table / sizeof table[0])

/* Words of the command's name that stand at the front of words; 0 when it is another command. */
static size_t match(const char *name, char **words)
{
    size_t count = 0;
    while (words[count]) {
        size_t len = strcspn(name, " ");
        if (strlen(words[count]) != len || memcmp(words[count], name, len) != 0)
            return 0;
        count++;
        if (!name[len])
            return count;
        name += len + 1;
    }
    return 0;
}

/* The first words name a group, as "image" does. */
static bool in_group(const char *name, const char *word)
{
    size_t len = strlen(word);
    return strncmp(name, word, len) == 0 && name[len] == ' ';
}

static bool is_group(const char *word)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (in_group(table[i].name, word))
            return true;
    return false;
}

bool command_find(char **words, const struct command **ret, char ***ret_args, struct failure *fail)
{
    if (!words[0])
        return failure_set(fail, EXIT_USAGE, "which command? See dfotactl --help");
    for (size_t i = 0; i < COMMANDS; i++) {
        size_t count = match(table[i].name, words);
        if (count > 0) {
            *ret = &table[i];
            *ret_args = words + count;
            return true;
        }
    }
    if (!is_group(words[0]))
        return failure_set(fail, EXIT_USAGE, "%s is no command; see dfotactl --help", words[0]);
    if (!words[1])
        return failure_set(fail, EXIT_USAGE, "which command of %s? See dfotactl %s --help", words[0],
                           words[0]);
    return failure_set(fail, EXIT_USAGE, "%s %s is no command; see dfotactl %s --help", words[0], words[1],
                       words[0]);
}

/* How many arguments its row tells of: "FIRMWARE [VERSION] FILE…". */
static void count_arguments(const char *arguments, size_t *ret_min, size_t *ret_max)
{
    *ret_min = *ret_max = 0;
    for (const char *at = arguments; *at;) {
        size_t len = strcspn(at, " ");
        if (*at != '[')
            ++*ret_min;
        if (memmem(at, len, "…", strlen("…")))
            *ret_max = SIZE_MAX;
        else if (*ret_max != SIZE_MAX)
            ++*ret_max;
        at += len + (at[len] ? 1 : 0);
    }
}

bool command_check(const struct command *command, const struct options *options, char **args,
                   struct failure *fail)
{
    size_t count = 0, min, max;
    uint64_t foreign = options->given & ~(OPTIONS_GLOBAL | command->options);
    uint64_t missing = command->required & ~options->given;
    while (args[count])
        count++;
    count_arguments(command->arguments, &min, &max);
    if (foreign)
        return failure_set(fail, EXIT_USAGE, "%s does not take %s", command->name, option_name(foreign));
    if (missing)
        return failure_set(fail, EXIT_USAGE, "%s needs %s", command->name, option_name(missing));
    if (max == 0 && count > 0)
        return failure_set(fail, EXIT_USAGE, "%s takes no arguments", command->name);
    if (count < min || count > max)
        return failure_set(fail, EXIT_USAGE, "%s takes %s", command->name, command->arguments);
    return true;
}

/* "device links FIRMWARE --csv FILE": the name, the options it cannot do without, the arguments. */
static void format_usage(const struct command *command, char *out, size_t size)
{
    char options[96] = "";
    option_format(command->required, options, sizeof options);
    snprintf(out, size, "%s%s%s%s", command->name, command->arguments[0] ? " " : "", command->arguments,
             options);
}

static void print_line(FILE *out, const struct command *command)
{
    char left[128];
    format_usage(command, left, sizeof left);
    size_t width = text_width(left);
    fprintf(out, "  %s", left);
    if (width > HELP_LEFT) {
        putc('\n', out);
        text_blanks(out, 2);
        width = 0;
    }
    text_blanks(out, HELP_LEFT + 2 - width);
    text_wrap(out, HELP_LEFT + 4, command->summary);
}

static void print_all(FILE *out, const char *group)
{
    if (group)
        fprintf(out, "Usage: dfotactl [options] %s COMMAND\n\n", group);
    else
        fputs(
            "Usage: dfotactl [options] COMMAND\n"
            "The admin's command line of dfotad, the FOTA delta server.\n\n",
            out);
    for (size_t i = 0; i < COMMANDS; i++)
        if (!group || in_group(table[i].name, group))
            print_line(out, &table[i]);
    fputs("\nOptions of every command:\n", out);
    option_print_help(out, OPTIONS_GLOBAL);
    fputs(
        "\nExit status: 0 done; 1 the server refused; 2 usage, or a local file; 3 the\n"
        "server is not there or not understood; 4 waited for what did not become ready.\n"
        "dfotactl COMMAND --help explains a command; dfotactl(1) has it all.\n",
        out);
}

static void print_one(FILE *out, const struct command *command)
{
    char usage[128];
    format_usage(command, usage, sizeof usage);
    fprintf(out, "Usage: dfotactl [options] %s\n", usage);
    text_wrap(out, 0, command->summary);
    if (command->details) {
        putc('\n', out);
        text_wrap(out, 0, command->details);
    }
    if (command->options) {
        fputs("\nOptions:\n", out);
        option_print_help(out, command->options);
    }
    fputs("\nOptions of every command:\n", out);
    option_print_help(out, OPTIONS_GLOBAL);
}

bool command_print_help(FILE *out, char **words, struct failure *fail)
{
    const struct command *command;
    char **args;
    if (words[0] && !(is_group(words[0]) && !words[1])) {
        if (!command_find(words, &command, &args, fail))
            return false;
        print_one(out, command);
    } else {
        print_all(out, words[0]);
    }
    return true;
}
