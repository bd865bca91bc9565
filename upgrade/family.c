/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/family.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define EXTERNAL      "external, with the command of the vendor's tool, or upload packages made elsewhere"
#define EC7XX_MODULES "EC716 and EC718 modules"
#define CORE          " for packages that change the core; script files are sent whole and need no format"

enum {
    EC618_AT,
    EC618_CSDK,
    EC618_LUATOS,
    EC618,
    EC7XX_AT,
    EC7XX_CSDK,
    EC7XX_LUATOS,
    EC7XX,
    EC,
    AIRM2M,
    LUATOS,
    LUATOS_AIR,
    AIR10X,
    ESP,
    QUECTEL,
    SIMCOM,
    NRF,
    OTHER
};

static const struct family families[] = {
    [EC618_AT] = {"ec618-at", "EC618 modules with AT firmware", "ec618-at", "ec618-at"},
    [EC618_CSDK] = {"ec618-csdk", "EC618 modules with CSDK firmware", "ec618-csdk", "ec618-csdk"},
    [EC618_LUATOS] = {"ec618-luatos", "EC618 modules with LuatOS", "ec618-luatos", "ec618-luatos" CORE},
    [EC618] = {"ec618", "EC618 modules", "",
               "ec618-at for AT firmware, ec618-csdk for CSDK firmware, ec618-luatos for LuatOS"},
    [EC7XX_AT] = {"ec7xx-at", EC7XX_MODULES " with AT firmware", "ec7xx-at", "ec7xx-at"},
    [EC7XX_CSDK] = {"ec7xx-csdk", EC7XX_MODULES " with CSDK firmware", "ec7xx-csdk", "ec7xx-csdk"},
    [EC7XX_LUATOS] = {"ec7xx-luatos", EC7XX_MODULES " with LuatOS", "ec7xx-luatos", "ec7xx-luatos" CORE},
    [EC7XX] = {"ec7xx", EC7XX_MODULES, "",
               "ec7xx-at for AT firmware, ec7xx-csdk for CSDK firmware, ec7xx-luatos for LuatOS"},
    [EC] =
        {"ec", "EC618, EC716 or EC718 modules", "",
         "ec618-at, ec618-csdk or ec618-luatos for an EC618 (Air780E); ec7xx-at, ec7xx-csdk or ec7xx-luatos for an "
         "EC716 or EC718 (Air780EP)"},
    [AIRM2M] =
        {"airm2m", "modules with AT firmware", "",
         "ec618-at for an EC618 (Air780E), ec7xx-at for an EC716 or EC718 (Air780EP), external for other chips"},
    [LUATOS] = {"luatos", "modules with LuatOS", "external", "external" CORE},
    [LUATOS_AIR] = {"luatos-air", "Air724UG and other modules with RDA8910", "external", EXTERNAL},
    [AIR10X] = {"air10x", "Air101, Air103, Air105 and Air601", "external", EXTERNAL},
    [ESP] = {"esp", "ESP32 and ESP8266", "external", EXTERNAL},
    [QUECTEL] = {"quectel", "modules of Quectel", "external", EXTERNAL},
    [SIMCOM] = {"simcom", "modules of SIMCom", "external", EXTERNAL},
    [NRF] = {"nrf", "nRF modules", "external", EXTERNAL},
    [OTHER] = {"other", "modules with their own updater", "external", EXTERNAL},
};

/* The first row fits whose words all occur in the name. Before a word there is no letter or digit, except
   "Air". # is any digit. $ is the end of the word. */
static const struct {
    const char *word[2];
    int family;
} by_name[] = {
    {{"CSDK", "EC618$"}, EC618_CSDK},
    {{"LuatOS", "EC618$"}, EC618_LUATOS},
    {{"AT$", "EC618$"}, EC618_AT},
    {{"EC618", NULL}, EC618},
    {{"EC7##", NULL}, EC7XX},
    {{"780EP", NULL}, EC7XX},
    {{"780EH", NULL}, EC7XX},
    {{"780ER", NULL}, EC7XX},
    {{"780EU", NULL}, EC7XX},
    {{"780EGP", NULL}, EC7XX},
    {{"780EGH", NULL}, EC7XX},
    {{"780EGG", NULL}, EC7XX},
    {{"780EQ", NULL}, EC7XX},
    {{"700EAQ", NULL}, EC7XX},
    {{"700EC", NULL}, EC7XX},
    {{"700EM", NULL}, EC7XX},
    {{"Air201$", NULL}, EC7XX},
    {{"Air8000", NULL}, EC7XX},
    {{"Air8200", NULL}, EC7XX},
    {{"AirM2M", "8000"}, EC7XX},
    {{"AirM2M", "201$"}, EC7XX},
    {{"716S", NULL}, EC7XX},
    {{"716E", NULL}, EC7XX},
    {{"718S", NULL}, EC7XX},
    {{"718P", NULL}, EC7XX},
    {{"718U", NULL}, EC7XX},
    {{"718HM", NULL}, EC7XX},
    {{"LuatOS", "780E$"}, EC618_LUATOS},
    {{"LuatOS", "780EG$"}, EC618_LUATOS},
    {{"LuatOS", "780EX$"}, EC618_LUATOS},
    {{"LuatOS", "700E$"}, EC618_LUATOS},
    {{"LuatOS", "600E$"}, EC618_LUATOS},
    {{"CSDK", "780E$"}, EC618_CSDK},
    {{"CSDK", "780EG$"}, EC618_CSDK},
    {{"AirM2M", "780E$"}, EC618_AT},
    {{"AirM2M", "780EG$"}, EC618_AT},
    {{"AirM2M", "780EX$"}, EC618_AT},
    {{"AirM2M", "700E$"}, EC618_AT},
    {{"AirM2M", "600E$"}, EC618_AT},
    {{"RDA8910", NULL}, LUATOS_AIR},
    {{"UIS8910", NULL}, LUATOS_AIR},
    {{"Air72#U", NULL}, LUATOS_AIR},
    {{"Air72#", NULL}, LUATOS_AIR},
    {{"Air795U", NULL}, LUATOS_AIR},
    {{"Luat", "8910"}, LUATOS_AIR},
    {{"Air10#", NULL}, AIR10X},
    {{"Air60#", NULL}, AIR10X},
    {{"Air6208", NULL}, AIR10X},
    {{"Air690", NULL}, AIR10X},
    {{"XT804", NULL}, AIR10X},
    {{"W80#", NULL}, AIR10X},
    {{"ESP32", NULL}, ESP},
    {{"ESP8266", NULL}, ESP},
    {{"ESP-IDF", NULL}, ESP},
    {{"ESP8285", NULL}, ESP},
    {{"Quectel", NULL}, QUECTEL},
    {{"QAT", NULL}, QUECTEL},
    {{"EC2#", NULL}, QUECTEL},
    {{"EG2#", NULL}, QUECTEL},
    {{"EG8##", NULL}, QUECTEL},
    {{"EG9#", NULL}, QUECTEL},
    {{"EC800", NULL}, QUECTEL},
    {{"EC600", NULL}, QUECTEL},
    {{"BG7#", NULL}, QUECTEL},
    {{"BG9#", NULL}, QUECTEL},
    {{"BC2#", NULL}, QUECTEL},
    {{"BC6#", NULL}, QUECTEL},
    {{"BC9#", NULL}, QUECTEL},
    {{"RG5##", NULL}, QUECTEL},
    {{"RM5##", NULL}, QUECTEL},
    {{"UC20$", NULL}, QUECTEL},
    {{"SIMCom", NULL}, SIMCOM},
    {{"SIM7###", NULL}, SIMCOM},
    {{"SIM8##", NULL}, SIMCOM},
    {{"A76##", NULL}, SIMCOM},
    {{"nRF9###", NULL}, NRF},
    {{"nRF5#", NULL}, NRF},
    {{"nRF7###", NULL}, NRF},
    {{"mfw_nrf", NULL}, NRF},
    {{"ASR16##", NULL}, OTHER},
    {{"ASR18##", NULL}, OTHER},
    {{"SLM3##", NULL}, OTHER},
    {{"Telit", NULL}, OTHER},
    {{"SARA-", NULL}, OTHER},
    {{"BK72##", NULL}, OTHER},
    {{"Air1601", NULL}, LUATOS},
    {{"Air1602", NULL}, LUATOS},
    {{"Air1780", NULL}, LUATOS},
    {{"Air810#", NULL}, LUATOS},
    {{"LuatOS", NULL}, LUATOS},
    {{"AirM2M", NULL}, AIRM2M},
    {{"CSDK", NULL}, EC},
    {{"Air780", NULL}, EC},
    {{"Air700", NULL}, EC},
    {{"Air###", NULL}, OTHER},
};

static const struct {
    const char *kind;
    int family;
} by_content[] = {
    {"binpkg", EC},     {"luatos-full", LUATOS}, {"soc", EC},
    {"esp-image", ESP}, {"wm-image", AIR10X},    {"ec7xx-image", EC7XX},
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_alnum(char c)
{
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

static bool fits(const char *at, const char *word)
{
    for (; *word; word++) {
        if (*word == '$')
            return !is_alnum(*at);
        if (*word == '#' ? !is_digit(*at) : lower(*at) != lower(*word))
            return false;
        at++;
    }
    return true;
}

static bool has(const char *name, const char *word)
{
    for (const char *at = name; word && *at; at++)
        if ((at == name || !is_alnum(at[-1]) || (at - name >= 3 && fits(at - 3, "Air"))) && fits(at, word))
            return true;
    return !word;
}

/* The kind of firmware of an EC7xx. CSDK comes first: such a name may have LuatOS-SoC, too. */
static int ec7xx_by_kind(const char *firmware)
{
    if (has(firmware, "CSDK"))
        return EC7XX_CSDK;
    if (has(firmware, "LuatOS"))
        return EC7XX_LUATOS;
    return has(firmware, "AirM2M") || has(firmware, "AT$") ? EC7XX_AT : EC7XX;
}

const struct family *family_of_name(const char *firmware)
{
    for (size_t i = 0; i < sizeof by_name / sizeof *by_name; i++)
        if (has(firmware, by_name[i].word[0]) && has(firmware, by_name[i].word[1]))
            return &families[by_name[i].family == EC7XX ? ec7xx_by_kind(firmware) : by_name[i].family];
    return NULL;
}

const struct family *family_of_content(const char *kind)
{
    for (size_t i = 0; i < sizeof by_content / sizeof *by_content; i++)
        if (strcmp(kind, by_content[i].kind) == 0)
            return &families[by_content[i].family];
    return NULL;
}

const struct family *family_find(const char *name)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++)
        if (strcmp(name, families[i].name) == 0)
            return &families[i];
    return NULL;
}

void family_advise(const char *firmware, const struct family *content, char out[FAMILY_ADVICE_SIZE])
{
    const struct family *family = family_of_name(firmware);
    if (!family)
        family = content;
    if (family)
        snprintf(out, FAMILY_ADVICE_SIZE, "no package format is set, but %s need one; set one: %s",
                 family->whom, family->advice);
    else
        snprintf(
            out, FAMILY_ADVICE_SIZE,
            "no package format is set; set one: bsdiff if the updater is bspatch, otherwise the format of "
            "the module");
}
