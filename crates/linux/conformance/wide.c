/* 64-bit arithmetic, which 32-bit CPUs do in pairs of registers or in routines of the compiler. */
#include "conformance.h"

CASE(wide_add_and_subtract)
{
    u64 a = get64(in), b = get64(in + 2);
    put64(out, a + b);
    put64(out + 2, a - b);
    put64(out + 4, 0 - a);
    put64(out + 6, a + in[4] - (u64)(s64)(s32)in[5]);
}

CASE(wide_logic)
{
    u64 a = get64(in), b = get64(in + 2);
    put64(out, a & b);
    put64(out + 2, a | ~b);
    put64(out + 4, a ^ b ^ 0x0123456789abcdefull);
    put64(out + 6, (a & 0xff00ff00ff00ff00ull) >> 8 | (a & 0x00ff00ff00ff00ffull) << 8);
}

CASE(wide_multiply)
{
    u64 a = get64(in), b = get64(in + 2);
    put64(out, a * b);
    put64(out + 2, (u64)in[4] * in[5]);
    put64(out + 4, (u64)((s64)(s32)in[6] * (s32)in[7]));
    put64(out + 6, a * 6364136223846793005ull + 1442695040888963407ull);
}

CASE(wide_multiply_high)
{
    u64 a = get64(in), b = get64(in + 2);
    u64 low = (u64)(u32)a * (u32)b;
    u64 middle = (a >> 32) * (u32)b + (low >> 32);
    u64 other = (u64)(u32)a * (b >> 32) + (u32)middle;
    put64(out, (a >> 32) * (b >> 32) + (middle >> 32) + (other >> 32));
    put64(out + 2, a * b);
#ifdef __SIZEOF_INT128__
    put64(out + 4, (u64)((unsigned __int128)a * b >> 64));
    put64(out + 6, (u64)((__int128)(s64)a * (s64)b >> 64));
#endif
}

CASE(wide_multiply_accumulate)
{
    s64 sum = (s64)get64(in);
    u64 bits = 0;
    int index;
    for (index = 2; index < 9; index++) {
        sum = (s64)((u64)sum + (u64)((s64)(s32)in[index] * (s32)in[index + 1]));
        bits += (u64)in[index] * in[index - 1];
    }
    put64(out, (u64)sum);
    put64(out + 2, bits);
}

CASE(wide_compare)
{
    int index;
    for (index = 0; index < 7; index++) {
        u64 a = get64(in + index), b = get64(in + index + 1);
        u32 bits = (u32)(a < b) | (u32)(a <= b) << 1 | (u32)((s64)a < (s64)b) << 2;
        bits |= (u32)((s64)a >= (s64)b) << 3 | (u32)(a == b) << 4 | (u32)((s64)a < 0) << 5;
        bits |= (u32)(a > 0xffffffffull) << 6 | (u32)((s64)b > -5) << 7;
        if (a > b && (s64)a != 1)
            bits |= 0x100;
        out[index] = bits;
    }
}

CASE(wide_absolute)
{
    s64 a = (s64)get64(in);
    put64(out, a < 0 ? 0 - (u64)a : (u64)a);
    put64(out + 2, (u64)(a < (s64)get64(in + 2) ? a : (s64)get64(in + 2)));
    put64(out + 4, get64(in + 4) > get64(in + 6) ? get64(in + 4) : get64(in + 6));
    put64(out + 6, (u64)(a >> 63));
}

CASE(wide_convert)
{
    put64(out, (u64)(s64)(s32)in[0]);
    put64(out + 2, (u64)(s64)(s8)in[1] + (u64)(u16)in[2]);
    put64(out + 4, (u64)(s64)(s16)in[3] * 3);
    out[6] = (u32)((s32)in[4] < (s64)in[5]);
    out[7] = (u32)(get64(in + 6) >> 16);
}

CASE(wide_sequence)
{
    u64 a = get64(in), b = get64(in + 2), state = get64(in + 4) | 1;
    int index;
    for (index = 0; index < 90; index++) {
        u64 next = a + b;
        a = b;
        b = next;
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    put64(out, a);
    put64(out + 2, b);
    put64(out + 4, state);
    put64(out + 6, state * 0x2545f4914f6cdd1dull);
}

WIDE_CASE(wide_result)
{
    return ((u64)(u32)a << 32 | (u32)b) + ((u64)(u32)i << 32 | (u32)j);
}

WIDE_CASE(wide_result_of_products)
{
    return (u64)(u32)a * (u32)c - (u64)(u32)e * (u32)g + (u32)(b ^ d ^ f ^ h ^ i ^ j);
}

#ifndef NO_SUPPORT_LIBRARY

CASE(wide_divide_unsigned)
{
    u64 dividend = get64(in), divisor = get64(in + 2) | 1;
    put64(out, dividend / divisor);
    put64(out + 2, dividend % divisor);
    divisor = in[4] | 1;
    put64(out + 4, dividend / divisor);
    put64(out + 6, dividend % ((in[5] & 0xffff) + 1));
}

CASE(wide_divide_signed)
{
    s64 dividend = (s64)get64(in), divisor = (s64)(get64(in + 2) | 1);
    if (divisor == -1)
        divisor = 3;
    put64(out, (u64)(dividend / divisor));
    put64(out + 2, (u64)(dividend % divisor));
    divisor = -(s64)(in[4] & 0xffffff) - 2;
    put64(out + 4, (u64)(dividend / divisor));
    put64(out + 6, (u64)(dividend % divisor));
}

CASE(wide_divide_by_constants)
{
    u64 value = get64(in);
    put64(out, value / 10 + value % 10);
    put64(out + 2, (u64)((s64)value / 1000000007 - (s64)value % 1000000007));
    put64(out + 4, value / 86400 ^ value % 60);
    put64(out + 6, (u64)((s64)value / -3 + (s64)value / 1024));
}

CASE(wide_decimal_digits)
{
    u64 value = get64(in);
    u8 digits[20];
    unsigned int count = 0;
    do {
        digits[count++] = (u8)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    out[0] = count;
    out[1] = digest(digits, count);
}

#endif
