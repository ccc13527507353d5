/* Part of cipher.c: two hexadecimal digits for each byte. */

static int digit_value(char digit)
{
    return digit >= 'a' ? digit - 'a' + 10 : digit - '0';
}

void cipher_decode(char *out, const char *coded, int length)
{
    int i;
    for (i = 0; i < length; i++)
        out[i] = (char)(digit_value(coded[2 * i]) << 4 | digit_value(coded[2 * i + 1]));
}
