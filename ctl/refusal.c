/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/refusal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Words in a sentence of the API, and the words of the command line for them. */
static const struct {
    const char *said, *typed;
    bool first; /* only at the beginning of the sentence: elsewhere it is an ordinary word */
} words[] = {
    {"add format=raw", "add --as raw", false},
    {"name one with variant,", "name one with --variant (of packages: --from-variant, --to-variant),", false},
    {"for example variant=", "for example --variant ", false},
    {"variant must ", "--variant must ", true},
    {"from_variant must ", "--from-variant must ", true},
    {"to_variant must ", "--to-variant must ", true},
    {"max_package_bytes", "--max-package-bytes", false},
    {"captured_at", "--captured-at", false},
    {"none (null)", "none", false},
    {"was changed since it was read: read it again", "was changed meanwhile: look at it again", false},
    {"add by=NAME", "add --by NAME", false},
    {"see GET …/secrets", "see dfotactl secret list", false},
    {"see GET /tokens", "see dfotactl token list", false},
    {"expires_at ", "--expires ", true},
    {"scope is ", "--scope is ", true},
    {"(reason)", "(--reason TEXT)", false},
    {"by must ", "--by (or DFOTA_BY) must ", true},
    {"note must ", "--note must ", true},
    {"reason must ", "--reason must ", true},
    {"state must ", "--state must ", true},
    {"sort takes ", "--sort takes ", true},
    {"link must ", "--link must ", true},
    {"since", "--since", true},
    {"until", "--until", true},
    {"before", "--before", true},
    {"downgrades must be true or false", "--downgrades must be yes or no", true},
    {"a valid token is needed: Authorization: Bearer TOKEN",
     "the server does not accept the token: see --token-file and DFOTA_TOKEN", true},
    {"name firmware and version (dfotactl: --firmware NAME --version V; API: PUT …/firmware/NAME/images/V)",
     "add --firmware NAME --version V", false},
    {"name the firmware:", "name the firmware with --firmware:", true},
};

static size_t match(const char *at, bool first)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if ((first || !words[i].first) && strncmp(at, words[i].said, strlen(words[i].said)) == 0)
            return i;
    return sizeof words / sizeof *words;
}

void refusal_translate(const char *detail, char *out, size_t size)
{
    size_t used = 0;
    for (const char *at = detail; *at && used + 1 < size;) {
        size_t i = match(at, at == detail);
        if (i == sizeof words / sizeof *words) {
            out[used++] = *at++;
            continue;
        }
        used += (size_t)snprintf(out + used, size - used, "%s", words[i].typed);
        at += strlen(words[i].said);
    }
    out[used < size ? used : size - 1] = '\0';
}

const char *refusal_hint(const char *code)
{
    static const struct {
        const char *code, *hint;
    } hints[] = {
        {"product-not-found", "; dfotactl product list shows the products"},
        {"firmware-not-found", "; dfotactl firmware list shows the firmwares"},
        {"image-not-found", "; dfotactl image list shows the images"},
        {"device-not-found", "; dfotactl device list shows the devices"},
        {"campaign-not-found", "; dfotactl campaign list FIRMWARE shows the campaigns"},
        {"link-not-found", "; dfotactl device show DEVICE shows the links"},
        {"not-an-upgrade", "; dfotactl firmware set FIRMWARE --downgrades yes allows them"},
    };
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strcmp(hints[i].code, code) == 0)
            return hints[i].hint;
    return "";
}
