/* The cipher that config.h names. */
#include "cipher.h"

#if CIPHER == CIPHER_XOR_CYCLIC
#include "ciphers/xor_cyclic.c"
#elif CIPHER == CIPHER_RC4 || CIPHER == CIPHER_RC4_CARRIED || CIPHER == CIPHER_RC4_PASSES
#include "ciphers/rc4.c"
#elif CIPHER == CIPHER_CHACHA20
#include "ciphers/chacha20.c"
#elif CIPHER == CIPHER_XTEA
#include "ciphers/xtea.c"
#elif CIPHER == CIPHER_XXTEA
#include "ciphers/xxtea.c"
#elif CIPHER == CIPHER_AES
#include "ciphers/aes_128_cbc.c"
#elif CIPHER == CIPHER_SUBSTITUTION
#include "ciphers/substitution.c"
#elif CIPHER == CIPHER_ALPHABET
#include "ciphers/alphabet.c"
#elif CIPHER == CIPHER_ROT_XOR
#include "ciphers/rot_xor.c"
#elif CIPHER == CIPHER_HEX
#include "ciphers/hex.c"
#endif
