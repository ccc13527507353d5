/* Part of cipher.c: every byte stands for another, by a table of 256. */

uint8_t plain_bytes[256] = {CIPHER_KEY};

void cipher_decode(char *out, const char *coded, int length)
{
    while (length-- > 0)
        *out++ = (char)plain_bytes[(uint8_t)*coded++];
}
