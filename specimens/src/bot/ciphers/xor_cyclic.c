/* Part of cipher.c: XOR with the bytes of a key in turn. */

uint8_t cipher_key[CIPHER_KEY_LENGTH] = {CIPHER_KEY};

void cipher_decode(char *out, const char *coded, int length)
{
    int i;
    for (i = 0; i < length; i++)
        out[i] = (char)(coded[i] ^ cipher_key[i % CIPHER_KEY_LENGTH]);
}
