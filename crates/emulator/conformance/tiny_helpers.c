/*
 * What GCC calls for big-endian ARM, where there is no support library: wide multiplication and
 * shifts and counted bits. Names are those of the run-time ABI for the ARM architecture and of libgcc.
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

u64 __aeabi_llsl(u32 high, u32 low, int count)
{
    if (count >= 32)
        return joined(low << (count - 32), 0);
    return count == 0 ? joined(high, low) : joined(high << count | low >> (32 - count), low << count);
}

u64 __aeabi_llsr(u32 high, u32 low, int count)
{
    if (count >= 32)
        return joined(0, high >> (count - 32));
    return count == 0 ? joined(high, low) : joined(high >> count, low >> count | high << (32 - count));
}

u64 __aeabi_lasr(u32 high, u32 low, int count)
{
    s32 top = (s32)high;
    if (count >= 32)
        return joined((u32)(top >> 31), (u32)(top >> (count - 32)));
    return count == 0 ? joined(high, low)
                      : joined((u32)(top >> count), low >> count | high << (32 - count));
}

u64 __aeabi_lmul(u32 a, u32 b, u32 c, u32 d)
{
    u32 low = (b & 0xffff) * (d & 0xffff), middle = (b >> 16) * (d & 0xffff) + (low >> 16);
    u32 other = (b & 0xffff) * (d >> 16) + (middle & 0xffff);
    u32 high = (b >> 16) * (d >> 16) + (middle >> 16) + (other >> 16);
    return joined(high + a * d + b * c, other << 16 | (low & 0xffff));
}

int __popcountsi2(u32 value)
{
    int count = 0;
    for (; value != 0; value &= value - 1)
        count++;
    return count;
}

int __popcountdi2(u32 high, u32 low)
{
    return __popcountsi2(high) + __popcountsi2(low);
}

int __paritysi2(u32 value)
{
    return __popcountsi2(value) & 1;
}

int __clzdi2(u32 high, u32 low)
{
    return high != 0 ? __builtin_clz(high) : 32 + __builtin_clz(low);
}

int __ctzdi2(u32 high, u32 low)
{
    return low != 0 ? __builtin_ctz(low) : 32 + __builtin_ctz(high);
}
