/* Ciphers: those of the field and the usual ones. */
#include "conformance.h"
#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <string.h>
#endif

static u32 rotate_left(u32 value, u32 count)
{
    return value << count | value >> (32 - count);
}

CASE(repeating_key_xor)
{
    u8 text[64], key[5];
    size_t index;
    expand(text, sizeof text, in[0]);
    memcpy(key, in, 5);
    for (index = 0; index < sizeof text; index++)
        text[index] ^= key[index % sizeof key];
    memcpy(out, text, 16);
    out[4] = digest(text, sizeof text);
}

CASE(rc4)
{
    u8 state[256], key[16], text[64];
    u32 index, i = 0, j = 0;
    memcpy(key, in, sizeof key);
    expand(text, sizeof text, in[4]);
    for (index = 0; index < 256; index++)
        state[index] = (u8)index;
    for (index = 0; index < 256; index++) {
        u8 swap = state[index];
        j = (j + swap + key[index % 16]) & 255;
        state[index] = state[j];
        state[j] = swap;
    }
    j = 0;
    for (index = 0; index < sizeof text; index++) {
        u8 swap;
        i = (i + 1) & 255;
        swap = state[i];
        j = (j + swap) & 255;
        state[i] = state[j];
        state[j] = swap;
        text[index] ^= state[(u8)(state[i] + swap)];
    }
    memcpy(out, text, 32);
}

static void quarter_round(u32 state[16], int a, int b, int c, int d)
{
    state[a] += state[b];
    state[d] = rotate_left(state[d] ^ state[a], 16);
    state[c] += state[d];
    state[b] = rotate_left(state[b] ^ state[c], 12);
    state[a] += state[b];
    state[d] = rotate_left(state[d] ^ state[a], 8);
    state[c] += state[d];
    state[b] = rotate_left(state[b] ^ state[c], 7);
}

CASE(chacha20)
{
    u32 start[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, state[16];
    int index;
    for (index = 0; index < 10; index++)
        start[index + 4] = in[index];
    start[14] = 9;
    start[15] = 0x4a000000;
    memcpy(state, start, sizeof state);
    for (index = 0; index < 10; index++) {
        quarter_round(state, 0, 4, 8, 12);
        quarter_round(state, 1, 5, 9, 13);
        quarter_round(state, 2, 6, 10, 14);
        quarter_round(state, 3, 7, 11, 15);
        quarter_round(state, 0, 5, 10, 15);
        quarter_round(state, 1, 6, 11, 12);
        quarter_round(state, 2, 7, 8, 13);
        quarter_round(state, 3, 4, 9, 14);
    }
    for (index = 0; index < 16; index++)
        state[index] += start[index];
    for (index = 0; index < 7; index++)
        out[index] = state[index * 2];
    out[7] = digest(state, sizeof state);
}

CASE(tea)
{
    u32 a = in[0], b = in[1], sum = 0;
    int round;
    for (round = 0; round < 32; round++) {
        sum += 0x9e3779b9u;
        a += ((b << 4) + in[2]) ^ (b + sum) ^ ((b >> 5) + in[3]);
        b += ((a << 4) + in[4]) ^ (a + sum) ^ ((a >> 5) + in[5]);
    }
    out[0] = a;
    out[1] = b;
}

CASE(xtea_both_ways)
{
    u32 a = in[0], b = in[1], sum = 0;
    int round;
    for (round = 0; round < 32; round++) {
        a += (((b << 4) ^ (b >> 5)) + b) ^ (sum + in[2 + (sum & 3)]);
        sum += 0x9e3779b9u;
        b += (((a << 4) ^ (a >> 5)) + a) ^ (sum + in[2 + (sum >> 11 & 3)]);
    }
    out[0] = a;
    out[1] = b;
    for (round = 0; round < 32; round++) {
        b -= (((a << 4) ^ (a >> 5)) + a) ^ (sum + in[2 + (sum >> 11 & 3)]);
        sum -= 0x9e3779b9u;
        a -= (((b << 4) ^ (b >> 5)) + b) ^ (sum + in[2 + (sum & 3)]);
    }
    out[2] = a ^ in[0];
    out[3] = b ^ in[1];
}

CASE(xxtea)
{
    u32 block[6], rounds = 6 + 52 / 6, sum = 0, y, z, e, p;
    memcpy(block, in, sizeof block);
    z = block[5];
    while (rounds-- > 0) {
        sum += 0x9e3779b9u;
        e = sum >> 2 & 3;
        for (p = 0; p < 6; p++) {
            y = block[(p + 1) % 6];
            z = block[p] += ((z >> 5 ^ y << 2) + (y >> 3 ^ z << 4)) ^
                            ((sum ^ y) + (in[6 + ((p & 3) ^ e)] ^ z));
        }
    }
    memcpy(out, block, sizeof block);
}

CASE(speck64)
{
    u32 x = in[0], y = in[1], key[4], round;
    memcpy(key, in + 2, sizeof key);
    for (round = 0; round < 27; round++) {
        u32 slot = 1 + round % 3;
        x = (rotate_left(x, 24) + y) ^ key[0];
        y = rotate_left(y, 3) ^ x;
        key[slot] = (rotate_left(key[slot], 24) + key[0]) ^ round;
        key[0] = rotate_left(key[0], 3) ^ key[slot];
    }
    out[0] = x;
    out[1] = y;
}

CASE(salsa20_core)
{
    u32 x[16];
    int index;
    for (index = 0; index < 16; index++)
        x[index] = in[index % INPUTS] + (u32)index * 0x01010101u;
    for (index = 0; index < 8; index++) {
        int line;
        for (line = 0; line < 4; line++) {
            int d = line * 5 & 15;
            x[(d + 4) & 15] ^= rotate_left(x[d] + x[(d + 12) & 15], 7);
            x[(d + 8) & 15] ^= rotate_left(x[(d + 4) & 15] + x[d], 9);
            x[(d + 12) & 15] ^= rotate_left(x[(d + 8) & 15] + x[(d + 4) & 15], 13);
            x[d] ^= rotate_left(x[(d + 12) & 15] + x[(d + 8) & 15], 18);
        }
    }
    memcpy(out, x, 32);
}

static u8 doubled(u8 value)
{
    return (u8)(value << 1 ^ (value & 0x80 ? 0x1b : 0));
}

static u8 product(u8 a, u8 b)
{
    u8 result = 0;
    for (; b != 0; b >>= 1, a = doubled(a))
        if (b & 1)
            result ^= a;
    return result;
}

/* The table is made from inverses and the affine map, as the standard defines it. */
static void substitution_table(u8 table[256])
{
    u8 p = 1, q = 1;
    do {
        u8 mapped;
        p = (u8)(p ^ doubled(p));
        q ^= (u8)(q << 1);
        q ^= (u8)(q << 2);
        q ^= (u8)(q << 4);
        if (q & 0x80)
            q ^= 0x09;
        mapped = (u8)(q ^ (u8)(q << 1 | q >> 7) ^ (u8)(q << 2 | q >> 6) ^ (u8)(q << 3 | q >> 5) ^
                      (u8)(q << 4 | q >> 4));
        table[p] = mapped ^ 0x63;
    } while (p != 1);
    table[0] = 0x63;
}

static void expand_key(const u8 table[256], const u8 key[16], u8 schedule[176])
{
    u8 constant = 1;
    int index;
    memcpy(schedule, key, 16);
    for (index = 16; index < 176; index += 4) {
        u8 word[4];
        memcpy(word, schedule + index - 4, 4);
        if (index % 16 == 0) {
            u8 first = word[0];
            word[0] = table[word[1]] ^ constant;
            word[1] = table[word[2]];
            word[2] = table[word[3]];
            word[3] = table[first];
            constant = doubled(constant);
        }
        schedule[index] = schedule[index - 16] ^ word[0];
        schedule[index + 1] = schedule[index - 15] ^ word[1];
        schedule[index + 2] = schedule[index - 14] ^ word[2];
        schedule[index + 3] = schedule[index - 13] ^ word[3];
    }
}

static void mix_columns(u8 block[16], const u8 row[4])
{
    int column, index;
    for (column = 0; column < 16; column += 4) {
        u8 old[4];
        memcpy(old, block + column, 4);
        for (index = 0; index < 4; index++)
            block[column + index] =
                product(old[0], row[-index & 3]) ^ product(old[1], row[(1 - index) & 3]) ^
                product(old[2], row[(2 - index) & 3]) ^ product(old[3], row[(3 - index) & 3]);
    }
}

static void add_key(u8 block[16], const u8 *key)
{
    int index;
    for (index = 0; index < 16; index++)
        block[index] ^= key[index];
}

CASE(aes128_both_ways)
{
    static const u8 forth[4] = {2, 3, 1, 1}, back[4] = {14, 11, 13, 9};
    u8 table[256], inverse[256], schedule[176], block[16], moved[16], key[16];
    int round, index;
    substitution_table(table);
    for (index = 0; index < 256; index++)
        inverse[table[index]] = (u8)index;
    memcpy(block, in, 16);
    memcpy(key, in + 4, 16);
    expand_key(table, key, schedule);
    add_key(block, schedule);
    for (round = 1; round <= 10; round++) {
        for (index = 0; index < 16; index++)
            moved[index] = table[block[(index + (index & 3) * 4) & 15]];
        if (round < 10)
            mix_columns(moved, forth);
        add_key(moved, schedule + round * 16);
        memcpy(block, moved, 16);
    }
    memcpy(out, block, 16);
    for (round = 10; round > 0; round--) {
        add_key(block, schedule + round * 16);
        if (round < 10)
            mix_columns(block, back);
        for (index = 0; index < 16; index++)
            moved[(index + (index & 3) * 4) & 15] = inverse[block[index]];
        memcpy(block, moved, 16);
    }
    add_key(block, schedule);
    memcpy(out + 4, block, 16);
}
