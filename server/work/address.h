/* address.h - which addresses a task may fetch from: the public ones.
 *
 * A task's URL comes from a stranger; what it may reach must not be what only this machine can reach.  The rule is about the
 * address that is connected to, after all names are resolved.
 *
 * SPDX-License-Identifier: MIT */
#ifndef BOBBIND_ADDRESS_H
#define BOBBIND_ADDRESS_H

#include <sys/socket.h>

/* NULL for a public unicast address; else what it is, for a sentence: "a loopback address". */
const char *address_refusal(const struct sockaddr *address);

#endif
