/* Name look-up by a query of our own. */
#ifndef RESOLVER_H
#define RESOLVER_H

#include "platform.h"

struct resolved {
    uint8_t count;
    ipv4_t *addresses;
};

void resolver_domain_to_hostname(char *out, const char *domain);
struct resolved *resolver_lookup(const char *domain);
void resolved_free(struct resolved *entries);

#endif
