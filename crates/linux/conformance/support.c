/*
 * What compilers call where the support library is missing (big-endian ARM) or made for another CPU
 * (ColdFire: that of the 68020, SPARC: that of V9). Names are those of libgcc and of the run-time
 * ABI for the ARM architecture.
 */
#include "conformance.h"

struct halves { u32 high, low; };

static u64 joined(u32 high, u32 low)
{
    union { struct halves halves; u64 whole; } made;
    made.halves.high = high;
    made.halves.low = low;
    return made.whole;
}

#if defined(__arm__) || defined(__mcoldfire__)

static u64 shifted_left(u32 high, u32 low, int count)
{
    if (count >= 32)
        return joined(low << (count - 32), 0);
    return count == 0 ? joined(high, low) : joined(high << count | low >> (32 - count), low << count);
}

static u64 shifted_right(u32 high, u32 low, int count)
{
    if (count >= 32)
        return joined(0, high >> (count - 32));
    return count == 0 ? joined(high, low) : joined(high >> count, low >> count | high << (32 - count));
}

static u64 shifted_down(u32 high, u32 low, int count)
{
    s32 top = (s32)high;
    if (count >= 32)
        return joined((u32)(top >> 31), (u32)(top >> (count - 32)));
    return count == 0 ? joined(high, low)
                      : joined((u32)(top >> count), low >> count | high << (32 - count));
}

static u64 product(u32 a, u32 b, u32 c, u32 d)
{
    u32 low = (b & 0xffff) * (d & 0xffff), middle = (b >> 16) * (d & 0xffff) + (low >> 16);
    u32 other = (b & 0xffff) * (d >> 16) + (middle & 0xffff);
    u32 high = (b >> 16) * (d >> 16) + (middle >> 16) + (other >> 16);
    return joined(high + a * d + b * c, other << 16 | (low & 0xffff));
}

u32 __bswapsi2(u32 value)
{
    return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}

u64 __bswapdi2(u32 high, u32 low) { return joined(__bswapsi2(low), __bswapsi2(high)); }

int __popcountsi2(u32 value)
{
    int count = 0;
    for (; value != 0; value &= value - 1)
        count++;
    return count;
}

int __popcountdi2(u32 high, u32 low) { return __popcountsi2(high) + __popcountsi2(low); }
int __paritysi2(u32 value) { return __popcountsi2(value) & 1; }

int __clzsi2(u32 value)
{
    int count = 0;
    for (; (s32)value >= 0; value <<= 1)
        count++;
    return count;
}

int __ctzsi2(u32 value)
{
    int count = 0;
    for (; (value & 1) == 0; value >>= 1)
        count++;
    return count;
}

int __clzdi2(u32 high, u32 low) { return high != 0 ? __clzsi2(high) : 32 + __clzsi2(low); }
int __ctzdi2(u32 high, u32 low) { return low != 0 ? __ctzsi2(low) : 32 + __ctzsi2(high); }

#endif

#if defined(__arm__)

u64 __aeabi_llsl(u32 high, u32 low, int count) { return shifted_left(high, low, count); }
u64 __aeabi_llsr(u32 high, u32 low, int count) { return shifted_right(high, low, count); }
u64 __aeabi_lasr(u32 high, u32 low, int count) { return shifted_down(high, low, count); }
u64 __aeabi_lmul(u32 a, u32 b, u32 c, u32 d) { return product(a, b, c, d); }

#else

struct division { u64 quotient, remainder; };

static struct division divided(u64 numerator, u64 denominator)
{
    struct division result = {0, 0};
    int bit;
    for (bit = 0; bit < 64; bit++) {
        u32 next = (u32)(numerator >> 32) >> 31;
        int overflows = (s64)result.remainder < 0;
        result.remainder = (result.remainder << 1) + next;
        numerator <<= 1;
        result.quotient <<= 1;
        if (overflows || result.remainder >= denominator) {
            result.remainder -= denominator;
            result.quotient++;
        }
    }
    return result;
}

static u64 magnitude(s64 value)
{
    return value < 0 ? 0 - (u64)value : (u64)value;
}

u64 __udivdi3(u64 a, u64 b) { return divided(a, b).quotient; }
u64 __umoddi3(u64 a, u64 b) { return divided(a, b).remainder; }

s64 __divdi3(s64 a, s64 b)
{
    u64 quotient = divided(magnitude(a), magnitude(b)).quotient;
    return (s64)((a < 0) != (b < 0) ? 0 - quotient : quotient);
}

s64 __moddi3(s64 a, s64 b)
{
    u64 remainder = divided(magnitude(a), magnitude(b)).remainder;
    return (s64)(a < 0 ? 0 - remainder : remainder);
}

#endif

#if defined(__mcoldfire__)

u64 __ashldi3(u32 high, u32 low, int count) { return shifted_left(high, low, count); }
u64 __lshrdi3(u32 high, u32 low, int count) { return shifted_right(high, low, count); }
u64 __ashrdi3(u32 high, u32 low, int count) { return shifted_down(high, low, count); }
u64 __muldi3(u32 a, u32 b, u32 c, u32 d) { return product(a, b, c, d); }
int __ffssi2(u32 value) { return value == 0 ? 0 : __ctzsi2(value) + 1; }

#define TWO_32 4294967296.0

double __floatundidf(u64 value) { return (double)(u32)(value >> 32) * TWO_32 + (double)(u32)value; }
double __floatdidf(s64 value) { return (double)(s32)(value >> 32) * TWO_32 + (double)(u32)value; }

float __floatundisf(u64 value)
{
    /* What a double cannot hold must still tip the balance. */
    if (value >> 32 >= 0x200000)
        value = (value & ~0x7ffull) | ((value & 0x7ff) != 0 ? 0x800 : 0);
    return (float)__floatundidf(value);
}

float __floatdisf(s64 value)
{
    return value < 0 ? -__floatundisf(magnitude(value)) : __floatundisf((u64)value);
}

u64 __fixunsdfdi(double value)
{
    u32 high = (u32)(value / TWO_32);
    return joined(high, (u32)(value - (double)high * TWO_32));
}

s64 __fixdfdi(double value)
{
    return (s64)(value < 0 ? 0 - __fixunsdfdi(-value) : __fixunsdfdi(value));
}

u64 __fixunssfdi(float value) { return __fixunsdfdi(value); }
s64 __fixsfdi(float value) { return __fixdfdi(value); }

#endif
