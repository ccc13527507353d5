/* Part of cipher.c: letters rotated by 13, then XOR with the folded bytes of a word. */

uint32_t table_key = TABLE_KEY;

static char rotated_letter(char letter)
{
    if (letter >= 'a' && letter <= 'z')
        return (char)((letter - 'a' + 13) % 26 + 'a');
    if (letter >= 'A' && letter <= 'Z')
        return (char)((letter - 'A' + 13) % 26 + 'A');
    return letter;
}

void cipher_decode(char *out, const char *coded, int length)
{
    uint8_t k1 = table_key & 0xff, k2 = (table_key >> 8) & 0xff;
    uint8_t k3 = (table_key >> 16) & 0xff, k4 = (table_key >> 24) & 0xff;
    int i;
    for (i = 0; i < length; i++)
        out[i] = rotated_letter((char)(coded[i] ^ k1 ^ k2 ^ k3 ^ k4));
}
