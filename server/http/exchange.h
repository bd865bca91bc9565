/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The request while libmicrohttpd has the connection: body, handler, answer. Internal to the http folder; loop's
   thread. */
#ifndef DFOTA_SERVER_HTTP_EXCHANGE_H
#define DFOTA_SERVER_HTTP_EXCHANGE_H

#include <microhttpd.h>
#include "server/http/connection.h"

/* libmicrohttpd's callbacks; cls is the loop. */
enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **request_cls);
void exchange_on_completed(void *cls, struct MHD_Connection *mhd, void **request_cls,
                           enum MHD_RequestTerminationCode code);
void exchange_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);

/* Calls the handler. True: the answer is there. False: it comes later, to the loop's list of answered connections. */
bool exchange_run(struct connection *connection);
/* An answer that refuses a resume: sends that (wire.h), and returns true. */
bool exchange_refuse_resume(struct connection *connection);
/* The answer, with a head of this length, is sent next: counts it, and follows what the peer acknowledges. */
void exchange_begin_answer(struct connection *connection, size_t head_size);

/* Its body, its stream, or its answer has taken too long. Loop's thread. */
void exchange_late(struct connection *connection);
/* DEADLINE_ANSWER came: cuts the connection when the peer has acknowledged too little in idle_timeout_ms. */
void exchange_check(struct connection *connection);

#endif
