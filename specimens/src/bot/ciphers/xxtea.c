/* Part of cipher.c: XXTEA over the whole of what it is given, two words at least. */
#include "words.c"

#define XXTEA_DELTA 0x9e3779b9u
#define XXTEA_MOST_WORDS 1024

uint8_t cipher_key[16] = {CIPHER_KEY};

LOCAL void xxtea_words(uint32_t *words, int count, const uint32_t *key)
{
    uint32_t rounds = (uint32_t)(6 + 52 / count), sum = rounds * XXTEA_DELTA;
    uint32_t after = words[0], before;
    int at;
    while (sum != 0) {
        uint32_t part = sum >> 2 & 3;
        for (at = count - 1; at >= 0; at--) {
            before = words[at > 0 ? at - 1 : count - 1];
            words[at] -= ((before >> 5 ^ after << 2) + (after >> 3 ^ before << 4)) ^
                         ((sum ^ after) + (key[((uint32_t)at & 3) ^ part] ^ before));
            after = words[at];
        }
        sum -= XXTEA_DELTA;
    }
}

void cipher_decode(char *out, const char *coded, int length)
{
    static uint32_t words[XXTEA_MOST_WORDS];
    uint32_t key[4];
    int i, count = CODED_LENGTH(length) / 4;
    for (i = 0; i < 4; i++)
        key[i] = load_word((const char *)cipher_key + 4 * i);
    for (i = 0; i < count; i++)
        words[i] = load_word(coded + 4 * i);
    xxtea_words(words, count, key);
    for (i = 0; i < count; i++)
        store_word(out + 4 * i, words[i]);
}
