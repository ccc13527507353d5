/* Ciphers with more than one key byte; config.h says which one, and gives its key. */
#ifndef CIPHER_H
#define CIPHER_H

#include "platform.h"

/* Bytes that LENGTH plain ones take in the file, and room for decoding them. */
#if CIPHER == CIPHER_XTEA
#define CODED_LENGTH(LENGTH) (((LENGTH) + 7) & ~7)
#elif CIPHER == CIPHER_XXTEA
#define CODED_LENGTH(LENGTH) ((LENGTH) < 8 ? 8 : ((LENGTH) + 3) & ~3)
#elif CIPHER == CIPHER_AES
#define CODED_LENGTH(LENGTH) (((LENGTH) + 15) & ~15)
#else
#define CODED_LENGTH(LENGTH) (LENGTH)
#endif

/*
 * Decodes LENGTH plain bytes. `out` has room for CODED_LENGTH(length) and may be `coded` itself.
 * Every text is coded by itself: a cipher with a state begins anew.
 */
void cipher_decode(char *out, const char *coded, int length);

#endif
