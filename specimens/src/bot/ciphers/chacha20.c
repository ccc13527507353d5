/* Part of cipher.c: ChaCha20 of RFC 8439, the counter beginning with 1. */

uint8_t cipher_key[32] = {CIPHER_KEY};
uint8_t cipher_nonce[12] = {CIPHER_NONCE};

static uint32_t chacha_word(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static uint32_t rotated(uint32_t value, int count)
{
    return value << count | value >> (32 - count);
}

static void quarter_round(uint32_t *state, int a, int b, int c, int d)
{
    state[a] += state[b];
    state[d] = rotated(state[d] ^ state[a], 16);
    state[c] += state[d];
    state[b] = rotated(state[b] ^ state[c], 12);
    state[a] += state[b];
    state[d] = rotated(state[d] ^ state[a], 8);
    state[c] += state[d];
    state[b] = rotated(state[b] ^ state[c], 7);
}

LOCAL void chacha_block(const uint32_t *input, uint8_t *output)
{
    uint32_t state[16];
    int i;
    memcpy(state, input, sizeof(state));
    for (i = 0; i < 10; i++) {
        quarter_round(state, 0, 4, 8, 12);
        quarter_round(state, 1, 5, 9, 13);
        quarter_round(state, 2, 6, 10, 14);
        quarter_round(state, 3, 7, 11, 15);
        quarter_round(state, 0, 5, 10, 15);
        quarter_round(state, 1, 6, 11, 12);
        quarter_round(state, 2, 7, 8, 13);
        quarter_round(state, 3, 4, 9, 14);
    }
    for (i = 0; i < 16; i++) {
        uint32_t word = state[i] + input[i];
        output[4 * i] = (uint8_t)word;
        output[4 * i + 1] = (uint8_t)(word >> 8);
        output[4 * i + 2] = (uint8_t)(word >> 16);
        output[4 * i + 3] = (uint8_t)(word >> 24);
    }
}

LOCAL void chacha_begin(uint32_t *input, const uint8_t *key, const uint8_t *nonce, uint32_t counter)
{
    static const char constant[] = "expand 32-byte k";
    int i;
    for (i = 0; i < 4; i++)
        input[i] = chacha_word((const uint8_t *)constant + 4 * i);
    for (i = 0; i < 8; i++)
        input[4 + i] = chacha_word(key + 4 * i);
    input[12] = counter;
    for (i = 0; i < 3; i++)
        input[13 + i] = chacha_word(nonce + 4 * i);
}

void cipher_decode(char *out, const char *coded, int length)
{
    uint32_t input[16];
    uint8_t stream[64];
    int i;
    chacha_begin(input, cipher_key, cipher_nonce, 1);
    for (i = 0; i < length; i++) {
        if (i % 64 == 0) {
            chacha_block(input, stream);
            input[12]++;
        }
        out[i] = (char)(coded[i] ^ stream[i % 64]);
    }
}
