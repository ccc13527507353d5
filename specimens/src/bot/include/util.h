/* Helpers of the family's own: text, memory, random numbers, checksums. */
#ifndef UTIL_H
#define UTIL_H

#include "platform.h"

extern ipv4_t local_address;

int util_strlen(const char *text);
void util_memcpy(void *to, const void *from, int count);
void util_zero(void *memory, int count);
int util_strcpy(char *to, const char *from);
int util_stristr(const char *haystack, int length, const char *needle);
int util_same(const char *left, const char *right);
char *util_itoa(int value, int base, char *out);
int util_atoi(const char *text, int base);
ipv4_t util_local_address(void);

void rand_init(void);
uint32_t rand_next(void);
void rand_bytes(char *out, int count);
void rand_alphastr(char *out, int count);

uint16_t checksum_generic(const void *data, uint32_t count);
uint16_t checksum_transport(const void *ip_header, const void *data, uint16_t network_length, int count);

#endif
