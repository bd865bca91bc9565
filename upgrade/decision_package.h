/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Internal to the decision: the rules that choose the package and say whether it may be sent. */
#ifndef DFOTA_UPGRADE_DECISION_PACKAGE_H
#define DFOTA_UPGRADE_DECISION_PACKAGE_H

#include "upgrade/question.h"

/* Target, package format and images. */
bool decision_package_check_versions(struct question *q);

/* A module that has upgraded and a module that refused the package send the same request over a link. So a
   link offers a delivered package again only after a gap, and only a few times, until a version is
   reported. */
bool decision_package_check_offers(struct question *q);

bool decision_package_wait_for_path(struct question *q);
bool decision_package_wait_for_package(struct question *q);

/* Proven or released, size limit. */
bool decision_package_check(struct question *q);
bool decision_package_check_canary(struct question *q);
bool decision_package_check_loop(struct question *q);

bool decision_package_check_address(struct question *q);

/* Sends the package, or offers it. A download from the start continues the open attempt, unless the package
   was delivered already. Deliveries are counted for each link, so a link does not continue an attempt that
   began without it. */
bool decision_package_serve(struct question *q);

#endif
