/* Hash functions and check sums. */
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

static u64 rotate_wide(u64 value, u32 count)
{
    return value << count | value >> (64 - count);
}

static u32 little(const u8 *bytes)
{
    return bytes[0] | (u32)bytes[1] << 8 | (u32)bytes[2] << 16 | (u32)bytes[3] << 24;
}

static u32 big(const u8 *bytes)
{
    return (u32)bytes[0] << 24 | (u32)bytes[1] << 16 | (u32)bytes[2] << 8 | bytes[3];
}

/* The last block of a message shorter than 56 bytes, padded as MD5 and SHA want it. */
static void padded(u8 block[64], const u32 *in, u32 length, int big_endian)
{
    memset(block, 0, 64);
    memcpy(block, in, length);
    block[length] = 0x80;
    block[big_endian ? 62 : 57] = (u8)(length * 8 >> 8);
    block[big_endian ? 63 : 56] = (u8)(length * 8);
}

CASE(crc32_bitwise)
{
    u8 text[48];
    u32 crc = 0xffffffffu;
    size_t index;
    int bit;
    expand(text, sizeof text, in[0]);
    for (index = 0; index < sizeof text; index++) {
        crc ^= text[index];
        for (bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    out[0] = ~crc;
}

CASE(crc32_by_table)
{
    u32 table[256], index, crc = 0xffffffffu;
    const u8 *text = (const u8 *)in;
    for (index = 0; index < 256; index++) {
        u32 value = index, bit;
        for (bit = 0; bit < 8; bit++)
            value = value >> 1 ^ (0xedb88320u & (0u - (value & 1)));
        table[index] = value;
    }
    for (index = 0; index < INPUTS * 4; index++)
        crc = table[(crc ^ text[index]) & 255] ^ crc >> 8;
    out[0] = ~crc;
    out[1] = digest(table, sizeof table);
}

CASE(crc16)
{
    const u8 *text = (const u8 *)in;
    u16 crc = 0xffff;
    u32 index, bit;
    for (index = 0; index < INPUTS * 4; index++) {
        crc ^= (u16)(text[index] << 8);
        for (bit = 0; bit < 8; bit++)
            crc = (u16)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    }
    out[0] = crc;
}

CASE(adler32)
{
    u8 text[300];
    u32 a = 1, b = 0;
    size_t index;
    expand(text, sizeof text, in[0]);
    memcpy(text, in, INPUTS * 4);
    for (index = 0; index < sizeof text; index++) {
        a = (a + text[index]) % 65521;
        b = (b + a) % 65521;
    }
    out[0] = b << 16 | a;
}

CASE(internet_checksum)
{
    const u16 *words = (const u16 *)in;
    u32 sum = 0, count = in[0] % 20 + 1;
    while (count-- > 0)
        sum += *words++;
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    out[0] = (u16)~sum;
}

CASE(short_hashes)
{
    const u8 *text = (const u8 *)in;
    u32 djb = 5381, sdbm = 0, jenkins = 0, fnv = 2166136261u, index;
    u64 wide = 0xcbf29ce484222325ull;
    for (index = 0; index < INPUTS * 4; index++) {
        djb = djb * 33 + text[index];
        sdbm = text[index] + (sdbm << 6) + (sdbm << 16) - sdbm;
        jenkins += text[index];
        jenkins += jenkins << 10;
        jenkins ^= jenkins >> 6;
        fnv = (fnv * 16777619u) ^ text[index];
        wide = (wide ^ text[index]) * 0x100000001b3ull;
    }
    jenkins += jenkins << 3;
    jenkins ^= jenkins >> 11;
    jenkins += jenkins << 15;
    out[0] = djb;
    out[1] = sdbm;
    out[2] = jenkins;
    out[3] = fnv;
    put64(out + 4, wide);
}

CASE(murmur3)
{
    u32 hash = in[9], index;
    for (index = 0; index < 9; index++) {
        hash ^= rotate_left(in[index] * 0xcc9e2d51u, 15) * 0x1b873593u;
        hash = rotate_left(hash, 13) * 5 + 0xe6546b64u;
    }
    hash ^= 36;
    hash = (hash ^ hash >> 16) * 0x85ebca6bu;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35u;
    out[0] = hash ^ hash >> 16;
}

static void sip_round(u64 v[4])
{
    v[0] += v[1];
    v[1] = rotate_wide(v[1], 13) ^ v[0];
    v[0] = rotate_wide(v[0], 32);
    v[2] += v[3];
    v[3] = rotate_wide(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate_wide(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate_wide(v[1], 17) ^ v[2];
    v[2] = rotate_wide(v[2], 32);
}

CASE(siphash)
{
    u64 v[4], key = get64(in), other = get64(in + 2);
    int index;
    v[0] = key ^ 0x736f6d6570736575ull;
    v[1] = other ^ 0x646f72616e646f6dull;
    v[2] = key ^ 0x6c7967656e657261ull;
    v[3] = other ^ 0x7465646279746573ull;
    for (index = 4; index < 10; index += 2) {
        u64 word64 = get64(in + index);
        v[3] ^= word64;
        sip_round(v);
        sip_round(v);
        v[0] ^= word64;
    }
    v[2] ^= 0xff;
    for (index = 0; index < 4; index++)
        sip_round(v);
    put64(out, v[0] ^ v[1] ^ v[2] ^ v[3]);
}

CASE(md4)
{
    static const u8 turns[3][4] = {{3, 7, 11, 19}, {3, 5, 9, 13}, {3, 9, 11, 15}};
    static const u8 order[2][16] = {{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15},
                                    {0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}};
    u32 a = 0x67452301, b = 0xefcdab89u, c = 0x98badcfeu, d = 0x10325476, step;
    u8 block[64];
    padded(block, in, INPUTS * 4, 0);
    for (step = 0; step < 48; step++) {
        u32 round = step / 16, index = step & 15, mixed, next;
        if (round == 0) {
            mixed = ((b & c) | (~b & d)) + little(block + index * 4);
        } else if (round == 1) {
            mixed = ((b & c) | (b & d) | (c & d)) + little(block + order[0][index] * 4) + 0x5a827999;
        } else {
            mixed = (b ^ c ^ d) + little(block + order[1][index] * 4) + 0x6ed9eba1;
        }
        next = rotate_left(a + mixed, turns[round][step & 3]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    out[0] = a + 0x67452301;
    out[1] = b + 0xefcdab89u;
    out[2] = c + 0x98badcfeu;
    out[3] = d + 0x10325476;
}

/* RFC 1321's constants are the whole part of 2^32 |sin i|. */
static const u32 md5_constants[64] = {
    0xd76aa478, 0xe8c7b756, 0x242070db, 0xc1bdceee, 0xf57c0faf, 0x4787c62a, 0xa8304613, 0xfd469501,
    0x698098d8, 0x8b44f7af, 0xffff5bb1, 0x895cd7be, 0x6b901122, 0xfd987193, 0xa679438e, 0x49b40821,
    0xf61e2562, 0xc040b340, 0x265e5a51, 0xe9b6c7aa, 0xd62f105d, 0x02441453, 0xd8a1e681, 0xe7d3fbc8,
    0x21e1cde6, 0xc33707d6, 0xf4d50d87, 0x455a14ed, 0xa9e3e905, 0xfcefa3f8, 0x676f02d9, 0x8d2a4c8a,
    0xfffa3942, 0x8771f681, 0x6d9d6122, 0xfde5380c, 0xa4beea44, 0x4bdecfa9, 0xf6bb4b60, 0xbebfbc70,
    0x289b7ec6, 0xeaa127fa, 0xd4ef3085, 0x04881d05, 0xd9d4d039, 0xe6db99e5, 0x1fa27cf8, 0xc4ac5665,
    0xf4292244, 0x432aff97, 0xab9423a7, 0xfc93a039, 0x655b59c3, 0x8f0ccc92, 0xffeff47d, 0x85845dd1,
    0x6fa87e4f, 0xfe2ce6e0, 0xa3014314, 0x4e0811a1, 0xf7537e82, 0xbd3af235, 0x2ad7d2bb, 0xeb86d391};

CASE(md5)
{
    static const u8 turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    u32 a = 0x67452301, b = 0xefcdab89u, c = 0x98badcfeu, d = 0x10325476, step;
    u8 block[64];
    padded(block, in, in[0] % 41, 0);
    for (step = 0; step < 64; step++) {
        u32 mixed, index, next;
        if (step < 16) {
            mixed = (b & c) | (~b & d);
            index = step;
        } else if (step < 32) {
            mixed = (d & b) | (~d & c);
            index = (5 * step + 1) & 15;
        } else if (step < 48) {
            mixed = b ^ c ^ d;
            index = (3 * step + 5) & 15;
        } else {
            mixed = c ^ (b | ~d);
            index = 7 * step & 15;
        }
        next = a + mixed + md5_constants[step] + little(block + index * 4);
        next = b + rotate_left(next, turns[step / 16][step & 3]);
        a = d;
        d = c;
        c = b;
        b = next;
    }
    out[0] = a + 0x67452301;
    out[1] = b + 0xefcdab89u;
    out[2] = c + 0x98badcfeu;
    out[3] = d + 0x10325476;
}

CASE(sha1)
{
    u32 w[80], h[5] = {0x67452301, 0xefcdab89u, 0x98badcfeu, 0x10325476, 0xc3d2e1f0u};
    u32 a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], step;
    u8 block[64];
    padded(block, in, in[0] % 41, 1);
    for (step = 0; step < 16; step++)
        w[step] = big(block + step * 4);
    for (; step < 80; step++)
        w[step] = rotate_left(w[step - 3] ^ w[step - 8] ^ w[step - 14] ^ w[step - 16], 1);
    for (step = 0; step < 80; step++) {
        u32 next = step < 20   ? ((b & c) | (~b & d)) + 0x5a827999
                   : step < 40 ? (b ^ c ^ d) + 0x6ed9eba1
                   : step < 60 ? ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdcu
                               : (b ^ c ^ d) + 0xca62c1d6u;
        next += rotate_left(a, 5) + e + w[step];
        e = d;
        d = c;
        c = rotate_left(b, 30);
        b = a;
        a = next;
    }
    out[0] = h[0] + a;
    out[1] = h[1] + b;
    out[2] = h[2] + c;
    out[3] = h[3] + d;
    out[4] = h[4] + e;
}

/* FIPS 180-4: fractional parts of the cube roots of the first primes. */
static const u32 sha256_constants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

CASE(sha256)
{
    static const u32 start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    u32 w[64], s[8], step;
    u8 block[64];
    padded(block, in, in[0] % 41, 1);
    memcpy(s, start, sizeof s);
    for (step = 0; step < 16; step++)
        w[step] = big(block + step * 4);
    for (; step < 64; step++) {
        u32 x = w[step - 15], y = w[step - 2];
        x = rotate_left(x, 25) ^ rotate_left(x, 14) ^ x >> 3;
        y = rotate_left(y, 15) ^ rotate_left(y, 13) ^ y >> 10;
        w[step] = w[step - 16] + x + w[step - 7] + y;
    }
    for (step = 0; step < 64; step++) {
        u32 x = rotate_left(s[4], 26) ^ rotate_left(s[4], 21) ^ rotate_left(s[4], 7);
        u32 y = rotate_left(s[0], 30) ^ rotate_left(s[0], 19) ^ rotate_left(s[0], 10);
        x += s[7] + ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha256_constants[step] + w[step];
        y += (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
        s[7] = s[6];
        s[6] = s[5];
        s[5] = s[4];
        s[4] = s[3] + x;
        s[3] = s[2];
        s[2] = s[1];
        s[1] = s[0];
        s[0] = x + y;
    }
    for (step = 0; step < 8; step++)
        out[step] = start[step] + s[step];
}
