/* Part of cipher.c: letters of one alphabet stand for those of another; other bytes for themselves. */

char coded_alphabet[] = CIPHER_CODED_ALPHABET;
char plain_alphabet[] = CIPHER_PLAIN_ALPHABET;

static char letter_for(char coded)
{
    int i;
    for (i = 0; coded_alphabet[i] != '\0'; i++)
        if (coded_alphabet[i] == coded)
            return plain_alphabet[i];
    return coded;
}

void cipher_decode(char *out, const char *coded, int length)
{
    int i;
    for (i = 0; i < length; i++)
        out[i] = letter_for(coded[i]);
}
