/* The C library: our own small one, or the one that the compiler brings. */
#ifndef PLATFORM_H
#define PLATFORM_H

#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>
#endif

#include "settings.h"
#include "config.h"

#define HAS_TABLE_INIT                                                          \
    (STRINGS_FROM == STRINGS_TABLE && TABLE_FORM != FORM_STATIC &&              \
     TABLE_FORM != FORM_SLOTS &&                                                \
     !(TABLE_FORM == FORM_CIPHER && STYLE_DECODE == DECODE_ON_GET))

typedef uint32_t ipv4_t;
typedef uint16_t port_t;

/* A compile-time constant in network order, as the family writes its addresses. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define NETWORK_ADDRESS(A, B, C, D) \
    ((ipv4_t)(A) << 24 | (ipv4_t)(B) << 16 | (ipv4_t)(C) << 8 | (ipv4_t)(D))
#define NETWORK_PORT(PORT) ((port_t)(PORT))
#else
#define NETWORK_ADDRESS(A, B, C, D) \
    ((ipv4_t)(D) << 24 | (ipv4_t)(C) << 16 | (ipv4_t)(B) << 8 | (ipv4_t)(A))
#define NETWORK_PORT(PORT) ((port_t)(((PORT) & 0xff) << 8 | ((PORT) >> 8 & 0xff)))
#endif

#if STYLE_LINKAGE == LINKAGE_STATIC
#define LOCAL static
#else
#define LOCAL
#endif

#endif
