/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Prints the forecast of a campaign. */
#ifndef DFOTA_CTL_CAMPAIGN_FORECAST_H
#define DFOTA_CTL_CAMPAIGN_FORECAST_H

#include <jansson.h>

/* The time, and what is not counted in it. NULL and null: nothing. Adds a member to the object. */
void campaign_forecast_print(json_t *forecast);
/* The forecast of a campaign beside what came of it. Nothing for a draft. */
void campaign_forecast_compare(const json_t *campaign);

#endif
