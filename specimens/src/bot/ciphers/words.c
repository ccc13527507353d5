/* Part of xtea.c and xxtea.c: words of four bytes, the least significant first. */

static uint32_t load_word(const char *bytes)
{
    return (uint32_t)(uint8_t)bytes[0] | (uint32_t)(uint8_t)bytes[1] << 8 |
           (uint32_t)(uint8_t)bytes[2] << 16 | (uint32_t)(uint8_t)bytes[3] << 24;
}

static void store_word(char *bytes, uint32_t word)
{
    bytes[0] = (char)word;
    bytes[1] = (char)(word >> 8);
    bytes[2] = (char)(word >> 16);
    bytes[3] = (char)(word >> 24);
}
