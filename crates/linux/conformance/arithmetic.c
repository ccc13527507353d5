/* Arithmetic of the CPU's own width and narrower. */
#include "conformance.h"

CASE(add_and_subtract)
{
    out[0] = in[0] + in[1];
    out[1] = in[2] - in[3];
    out[2] = in[4] + 0x12345678u;
    out[3] = in[5] - 0x87654321u;
    out[4] = 0u - in[6];
    out[5] = ~in[7];
    out[6] = in[8] + in[9] + in[0];
    out[7] = in[1] - in[2] - in[3];
}

CASE(carry_chain)
{
    u32 carry = 0;
    int index;
    for (index = 0; index < 4; index++) {
        u32 sum = in[index] + in[index + 4];
        u32 carried = sum < in[index];
        out[index] = sum + carry;
        carry = carried | (out[index] < sum);
    }
    out[4] = carry;
}

CASE(borrow_chain)
{
    u32 borrow = 0;
    int index;
    for (index = 0; index < 4; index++) {
        u32 difference = in[index] - in[index + 4];
        u32 borrowed = in[index] < in[index + 4];
        out[index] = difference - borrow;
        borrow = borrowed | (difference < borrow);
    }
    out[4] = borrow;
}

CASE(overflow_checks)
{
    s32 s = 0;
    u32 u = 0;
    s64 w = 0;
    u64 x = 0;
    out[0] = (u32)__builtin_add_overflow((s32)in[0], (s32)in[1], &s);
    out[0] |= (u32)__builtin_sub_overflow((s32)in[0], (s32)in[1], &s) << 1;
    out[0] |= (u32)__builtin_add_overflow(in[2], in[3], &u) << 2;
    out[0] |= (u32)__builtin_sub_overflow(in[2], in[3], &u) << 3;
    out[0] |= (u32)__builtin_mul_overflow((s32)in[4], (s32)in[5], &s) << 4;
    out[0] |= (u32)__builtin_mul_overflow(in[4], in[5], &u) << 5;
    out[0] |= (u32)__builtin_add_overflow((s64)get64(in), (s64)get64(in + 2), &w) << 6;
    out[0] |= (u32)__builtin_sub_overflow(get64(in + 4), get64(in + 6), &x) << 7;
    out[1] = (u32)s;
    out[2] = u;
    put64(out + 3, (u64)w);
    put64(out + 5, x);
}

CASE(multiply)
{
    out[0] = in[0] * in[1];
    out[1] = (u32)((u64)in[2] * in[3] >> 32);
    out[2] = (u32)((s64)(s32)in[4] * (s32)in[5] >> 32);
    out[3] = in[6] * 10;
    out[4] = in[7] * 0x01000193u;
    out[5] = (u32)((s16)in[8] * (s16)in[9]);
    out[6] = (u32)((u16)in[8] * (u32)(u16)in[9]);
    out[7] = (u32)((u64)in[0] * (u64)(u32)-5 >> 17);
}

CASE(divide_unsigned)
{
    u32 divisor = in[1] | 1;
    out[0] = in[0] / divisor;
    out[1] = in[0] % divisor;
    divisor = (in[3] & 0xff) + 1;
    out[2] = in[2] / divisor;
    out[3] = in[2] % divisor;
    divisor = (in[5] >> 16) + 1;
    out[4] = in[4] / divisor;
    out[5] = in[4] % divisor;
    out[6] = (u8)in[6] / (u8)(in[7] | 1);
    out[7] = (u16)in[8] % (u16)(in[9] | 1);
}

CASE(divide_signed)
{
    /* An odd divisor that is not -1 cannot overflow. */
    s32 divisor = (s32)(in[1] | 1);
    s32 dividend = (s32)in[0];
    if (divisor == -1)
        divisor = -3;
    out[0] = (u32)(dividend / divisor);
    out[1] = (u32)(dividend % divisor);
    dividend = (s32)in[2];
    divisor = (s32)(in[3] & 0x7f) + 2;
    out[2] = (u32)(dividend / divisor);
    out[3] = (u32)(dividend % divisor);
    divisor = -divisor;
    out[4] = (u32)(dividend / divisor);
    out[5] = (u32)(dividend % divisor);
    out[6] = (u32)((s8)in[4] / ((s8)(in[5] & 0x3f) + 1));
    out[7] = (u32)((s16)in[6] % ((s16)(in[7] & 0x3fff) + 1));
}

CASE(divide_by_constants)
{
    s32 s = (s32)in[1];
    out[0] = in[0] / 3 + (in[0] % 3) * 1000;
    out[1] = in[0] / 7 ^ (in[0] % 7) << 29;
    out[2] = in[0] / 10 + (in[0] % 10);
    out[3] = in[0] / 641 + in[0] % 641;
    out[4] = (u32)(s / 5 + s % 5);
    out[5] = (u32)(s / -7 - s % 7);
    out[6] = (u32)(s / 16 + (s % 16) * 3);
    out[7] = (u32)(s / 1000000007 + s % 60);
}

CASE(comparisons)
{
    u32 bits = 0;
    int index;
    for (index = 0; index < 8; index++) {
        u32 a = in[index], b = in[index + 1];
        bits = bits << 1 | (a < b);
        bits = bits << 1 | (a <= b);
        bits = bits << 1 | ((s32)a < (s32)b);
        bits = bits << 1 | ((s32)a >= (s32)b);
        bits ^= (u32)(a == b) << 7 | (u32)((s8)a > (s8)b) << 9 | (u32)((u16)a > (u16)b) << 11;
        out[index] = bits;
        if ((s32)a < 0)
            out[index] ^= 0x5a5a;
        if ((s16)a > -2 && (s16)b <= 127)
            out[index] += 3;
    }
}

CASE(narrow_types)
{
    u8 a = (u8)in[0];
    s8 b = (s8)in[1];
    u16 c = (u16)in[2];
    s16 d = (s16)in[3];
    a = (u8)(a + in[4]);
    b = (s8)(b - (s8)in[5]);
    c = (u16)(c * in[6]);
    d = (s16)(d + (s16)in[7]);
    out[0] = a;
    out[1] = (u32)b;
    out[2] = c;
    out[3] = (u32)d;
    out[4] = (u32)(a >> 3) + (u32)(b >> 2) + (u32)(c << 5) + (u32)(d >> 7);
    out[5] = (u32)(s32)(s8)(u8)in[8];
    out[6] = (u32)(s32)(s16)in[9];
    a++;
    b--;
    out[7] = (u32)(a < b) | (u32)((u8)b > a) << 1 | (u32)((s8)a == b) << 2;
}

static s32 clamp(s32 value, s32 low, s32 high)
{
    return value < low ? low : value > high ? high : value;
}

CASE(minimum_maximum_absolute)
{
    s32 a = (s32)in[0], b = (s32)in[1];
    out[0] = (u32)(a < b ? a : b);
    out[1] = (u32)(a > b ? a : b);
    out[2] = in[0] < in[1] ? in[0] : in[1];
    out[3] = in[0] > in[1] ? in[0] : in[1];
    out[4] = a < 0 ? 0u - (u32)a : (u32)a;
    out[5] = (u32)clamp((s32)in[2], -1000, 100000);
    out[6] = (u32)clamp((s32)in[3] >> 16, -128, 127);
    out[7] = (in[4] & in[5]) + ((in[4] ^ in[5]) >> 1);
}

CASE(saturating)
{
    u32 sum = in[0] + in[1];
    s64 wide = (s64)(s32)in[2] + (s32)in[3];
    out[0] = sum < in[0] ? 0xffffffffu : sum;
    out[1] = in[0] > in[1] ? in[0] - in[1] : 0;
    out[2] = wide > INT_MAX ? INT_MAX : wide < INT_MIN ? (u32)INT_MIN : (u32)wide;
    wide = (s64)(s32)in[4] * (s32)in[5];
    out[3] = wide > INT_MAX ? INT_MAX : wide < INT_MIN ? (u32)INT_MIN : (u32)wide;
}

CASE(count_bits)
{
    u32 value = in[0] | 1;
    u64 wide = get64(in + 1) | 1;
    out[0] = (u32)__builtin_popcount(in[0]);
    out[1] = (u32)__builtin_clz(value);
    out[2] = (u32)__builtin_ctz(in[3] | 0x80000000u);
    out[3] = (u32)__builtin_parity(in[4]);
    out[4] = (u32)__builtin_popcountll(wide);
    out[5] = (u32)__builtin_clzll(wide);
    out[6] = (u32)__builtin_ctzll(get64(in + 5) | 1ull << 63);
    out[7] = in[7] == 0 ? 0 : (u32)__builtin_ctz(in[7]) + 1;
}

CASE(reverse_bits)
{
    int index;
    for (index = 0; index < 8; index++) {
        u32 value = in[index];
        value = (value >> 1 & 0x55555555u) | (value & 0x55555555u) << 1;
        value = (value >> 2 & 0x33333333u) | (value & 0x33333333u) << 2;
        value = (value >> 4 & 0x0f0f0f0fu) | (value & 0x0f0f0f0fu) << 4;
        out[index] = __builtin_bswap32(value);
    }
}

static NOINLINE u32 greatest_common_divisor(u32 a, u32 b)
{
    while (b != 0) {
        u32 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

CASE(greatest_common_divisors)
{
    int index;
    for (index = 0; index < 8; index++)
        out[index] = greatest_common_divisor(in[index], in[index + 1]);
}

CASE(integer_square_root)
{
    int index;
    for (index = 0; index < 8; index++) {
        u32 rest = in[index], root = 0, bit = 1u << 30;
        while (bit > rest)
            bit >>= 2;
        while (bit != 0) {
            if (rest >= root + bit) {
                rest -= root + bit;
                root = (root >> 1) + bit;
            } else {
                root >>= 1;
            }
            bit >>= 2;
        }
        out[index] = root;
    }
}

CASE(modular_power)
{
    int index;
    for (index = 0; index < 4; index++) {
        u32 modulus = (in[index] & 0x7fff) | 3, base = in[index + 1] % modulus;
        u32 exponent = in[index + 2], result = 1;
        while (exponent != 0) {
            if (exponent & 1)
                result = result * base % modulus;
            base = base * base % modulus;
            exponent >>= 1;
        }
        out[index] = result;
    }
}

WORDS_CASE(sum_of_ten_words)
{
    return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i + 23 * j;
}

WORDS_CASE(choose_among_ten_words)
{
    return (a & 1 ? c : d) ^ (b & 1 ? e : f) ^ (g < h ? i : j);
}
