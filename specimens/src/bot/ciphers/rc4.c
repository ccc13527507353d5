/*
 * Part of cipher.c: RC4 and two home-made changes of it. CIPHER_RC4_CARRIED does not reset j between
 * key schedule and output; CIPHER_RC4_PASSES mixes the state five more times with a linear
 * congruential generator (multiplier and increment of Numerical Recipes).
 */

struct rc4_state {
    uint8_t box[256];
    uint8_t i, j;
};

uint8_t cipher_key[CIPHER_KEY_LENGTH] = {CIPHER_KEY};

LOCAL void rc4_swap(uint8_t *left, uint8_t *right)
{
    uint8_t kept = *left;
    *left = *right;
    *right = kept;
}

LOCAL void rc4_schedule(struct rc4_state *state, const uint8_t *key, int key_length)
{
    int i;
    uint8_t j = 0;
#if CIPHER == CIPHER_RC4_PASSES
    uint32_t drawn = CIPHER_LCG_SEED;
    int pass;
#endif
    for (i = 0; i < 256; i++)
        state->box[i] = (uint8_t)i;
    for (i = 0; i < 256; i++) {
        j = (uint8_t)(j + state->box[i] + key[i % key_length]);
        rc4_swap(&state->box[i], &state->box[j]);
    }
#if CIPHER == CIPHER_RC4_PASSES
    for (pass = 0; pass < 5; pass++) {
        for (i = 0; i < 256; i++) {
            drawn = drawn * 1664525u + 1013904223u;
            j = (uint8_t)(j + state->box[i] + (drawn >> 24));
            rc4_swap(&state->box[i], &state->box[j]);
        }
    }
#endif
    state->i = 0;
#if CIPHER == CIPHER_RC4_CARRIED
    state->j = j;
#else
    state->j = 0;
#endif
}

LOCAL uint8_t rc4_next(struct rc4_state *state)
{
    state->i++;
    state->j = (uint8_t)(state->j + state->box[state->i]);
    rc4_swap(&state->box[state->i], &state->box[state->j]);
    return state->box[(uint8_t)(state->box[state->i] + state->box[state->j])];
}

void cipher_decode(char *out, const char *coded, int length)
{
    struct rc4_state state;
    int i;
    rc4_schedule(&state, cipher_key, CIPHER_KEY_LENGTH);
    for (i = 0; i < length; i++)
        out[i] = (char)(coded[i] ^ rc4_next(&state));
}
