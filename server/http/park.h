/* park.h - a request whose answer comes later: no thread waits, the connection is suspended in MHD.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_PARK_H
#define BOBBIND_PARK_H

#include "http/exchange.h"

enum parked { PARKED, NOT_PARKED_WOKEN, NOT_PARKED_STOPPING };
/* In MHD's thread, after the handler returned WHY_PENDING.
 *   PARKED                    return MHD_YES: MHD calls again after the wake
 *   NOT_PARKED_WOKEN  the outcome was quicker: answer now
 *   NOT_PARKED_STOPPING       the server ends: close the connection; the wake that comes later undoes */
enum parked park_suspend(struct hand *hand, struct request *req);
/* True once @req was woken, or is to be thrown away (*ret_lost): MHD's thread has it back. */
bool park_is_woken(struct request *req, bool *ret_lost);
/* Resumes those of @hand's that were woken; in its own thread, in any of MHD's callbacks, under no lock. */
void park_resume_woken(struct http *h, struct hand *hand);
/* http_stop: lets MHD close the connection of a request that nobody wakes in time. */
void park_abandon(struct request *req);

enum why park_start(struct http *h, struct fault *f); /* the watcher and its epoll */
void park_stop(struct http *h);                       /* joins the watcher: before MHD is stopped */
void park_close(struct http *h);                      /* its descriptors: after it */

#endif
