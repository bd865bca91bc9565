/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Links: GET /d/{token}[/{version}]. The version was typed into a module once. It selects the base, but it
   is not evidence of what the module runs. */
#include "base/clock.h"
#include "server/checkin/checkin.h"
#include "server/checkin/client_secret.h"
#include "server/device/device.h"

void link_handle(struct request *request)
{
    struct client_identity client = {.id_usable = false};
    struct checkin checkin = {.source = CHECKIN_LINK, .now_ms = clock_utc_ms()};
    struct error err;
    client_secret_take(request, &client);
    slice_copy(request->param[0], client.token,
               sizeof client.token); /* a token that is too long becomes "": no link has it */
    if (request->param[1].len &&
        !request_param(request, 1, client.version_text, sizeof client.version_text, &err))
        request_fail(request, &err);
    else {
        checkin_complete(request, &client, &checkin);
        checkin_start(request, &client, &checkin);
    }
}
