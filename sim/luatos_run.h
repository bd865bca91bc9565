/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One module with LuatOS and an update library (--client): it asks as the library does, writes the package as the
   module does, restarts, and asks again. What the library does not see, such as the code of a refusal, is used only
   to know when to end. */
#ifndef DFOTA_SIM_LUATOS_RUN_H
#define DFOTA_SIM_LUATOS_RUN_H

#include "sim/module.h"
#include "sim/option.h"

/* Runs the module to its end, and prints its steps. Blocks. *ret_unreachable: it ended because the server could not be
   reached. ERROR_BAD_REQUEST: the options do not fit each other; ERROR_INVALID: an image or a URL is not usable. */
bool luatos_run(const struct sim_options *options, struct plan *plan, const struct image *image,
                bool *ret_wanted, bool *ret_unreachable, struct error *err)
    __attribute__((warn_unused_result));

#endif
