/* Part of cipher.c: XTEA of 32 rounds, block by block, with a delta of its own. */
#include "words.c"

uint8_t cipher_key[16] = {CIPHER_KEY};

LOCAL void xtea_block(uint32_t *block, const uint32_t *key)
{
    uint32_t left = block[0], right = block[1], sum = (uint32_t)(CIPHER_DELTA * 32u);
    int round;
    for (round = 0; round < 32; round++) {
        right -= ((left << 4 ^ left >> 5) + left) ^ (sum + key[sum >> 11 & 3]);
        sum -= CIPHER_DELTA;
        left -= ((right << 4 ^ right >> 5) + right) ^ (sum + key[sum & 3]);
    }
    block[0] = left;
    block[1] = right;
}

void cipher_decode(char *out, const char *coded, int length)
{
    uint32_t key[4], block[2];
    int i;
    for (i = 0; i < 4; i++)
        key[i] = load_word((const char *)cipher_key + 4 * i);
    for (i = 0; i < length; i += 8) {
        block[0] = load_word(coded + i);
        block[1] = load_word(coded + i + 4);
        xtea_block(block, key);
        store_word(out + i, block[0]);
        store_word(out + i + 4, block[1]);
    }
}
