/* What keeps a specimen harmless; see specimens/README.md. */
#ifndef INERT_H
#define INERT_H

#include "platform.h"

/*
 * Zero for ever: nothing in the program writes it. `main` returns before any network code while it is
 * zero. Volatile, so that no optimiser removes what it guards.
 */
extern volatile int network_enabled;
extern volatile int packets_left;

/* The address itself if it is one of RFC 5737, else its last octet in 192.0.2.0/24. Network order. */
ipv4_t documentation_address(ipv4_t address);
/* sendto while fewer than three packets have left, only to a documentation address; else -1. */
int bounded_send(int fd, const void *packet, int length, struct sockaddr_in *to);
#if MORE_ATTACKS
/* sendmsg under the same limits; the message has an address. */
int bounded_message(int fd, struct msghdr *message);
#endif
/* send on a connected socket, counted as a packet. */
int bounded_stream_send(int fd, const void *data, int length);
/* connect under the same limits, counted as a packet. */
int bounded_connect(int fd, struct sockaddr_in *to);

#endif
