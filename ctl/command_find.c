/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Finds a command by its words, by other words for the same, and the command that a wrong word is like. */
#include <string.h>
#include "base/similar.h"
#include "ctl/command.h"

/* The first row whose command exists is used: device rm is device delete, token rm is token revoke. */
static const struct {
    const char *alias, *name;
} aliases[] = {
    {"ls", "list"}, {"rm", "delete"}, {"rm", "revoke"}, {"rm", "forget"}, {"rm", "clear"},
};
#define ALIASES (sizeof aliases / sizeof *aliases)

/* "image upload" belongs to the group "image". */
bool command_in_group(const struct command *command, const char *word)
{
    size_t len = strlen(word);
    return strncmp(command->name, word, len) == 0 && command->name[len] == ' ';
}

bool command_is_group(const char *word)
{
    for (size_t i = 0; i < command_table_count; i++)
        if (command_in_group(&command_table[i], word))
            return true;
    return false;
}

/* The command with this name of one word, or of two; second NULL: of one word. */
static const struct command *find(const char *first, const char *second)
{
    for (size_t i = 0; i < command_table_count; i++) {
        const char *name = command_table[i].name;
        if (second
                ? command_in_group(&command_table[i], first) && strcmp(name + strlen(first) + 1, second) == 0
                : strcmp(name, first) == 0)
            return &command_table[i];
    }
    return NULL;
}

static const struct command *find_alias(const char *first, const char *second)
{
    const struct command *found = NULL;
    for (size_t i = 0; i < ALIASES && !found; i++)
        if (strcmp(aliases[i].alias, second) == 0)
            found = find(first, aliases[i].name);
    return found;
}

static bool fail_first(const char *word, struct failure *fail)
{
    struct similar similar = {.word = word};
    for (size_t i = 0; i < command_table_count; i++)
        similar_offer(&similar, command_table[i].name, strcspn(command_table[i].name, " "));
    if (similar.best)
        return failure_set(fail, EXIT_USAGE, "there is no command %s; did you mean %.*s?", word,
                           (int)similar.best_len, similar.best);
    return failure_set(fail, EXIT_USAGE, "there is no command %s; dfotactl help lists the commands", word);
}

static bool fail_second(const char *group, const char *word, struct failure *fail)
{
    struct similar similar = {.word = word};
    for (size_t i = 0; i < command_table_count; i++)
        if (command_in_group(&command_table[i], group)) {
            const char *name = command_table[i].name + strlen(group) + 1;
            similar_offer(&similar, name, strlen(name));
        }
    if (similar.best)
        return failure_set(fail, EXIT_USAGE, "there is no command %s %s; did you mean %s %s?", group, word,
                           group, similar.best);
    return failure_set(fail, EXIT_USAGE, "there is no command %s %s; dfotactl help %s lists the commands",
                       group, word, group);
}

bool command_find(char **words, const struct command **ret, char ***ret_args, struct failure *fail)
{
    if (!words[0])
        return failure_set(fail, EXIT_USAGE, "a command is missing; dfotactl help lists the commands");
    const struct command *one = find(words[0], NULL);
    const struct command *two = words[1] ? find(words[0], words[1]) : NULL;
    if (!two && words[1])
        two = find_alias(words[0], words[1]);
    if (one || two) {
        *ret = two ? two : one;
        *ret_args = words + (two ? 2 : 1);
        return true;
    }
    if (!command_is_group(words[0]))
        return fail_first(words[0], fail);
    if (words[1])
        return fail_second(words[0], words[1], fail);
    return failure_set(fail, EXIT_USAGE, "%s needs a second word; dfotactl help %s lists its commands",
                       words[0], words[0]);
}
