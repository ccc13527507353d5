/*
 * Integer division where the compiler has no support library (big-endian ARM). Names and results are
 * those of the run-time ABI for the ARM architecture: quotient in r0, remainder in r1.
 */
#include <stdint.h>

struct halves {
    uint32_t quotient;
    uint32_t remainder;
};

static struct halves divided(uint32_t numerator, uint32_t denominator)
{
    struct halves result = {0, 0};
    int bit;
    for (bit = 31; bit >= 0; bit--) {
        result.remainder = result.remainder << 1 | (numerator >> bit & 1);
        if (denominator != 0 && result.remainder >= denominator) {
            result.remainder -= denominator;
            result.quotient |= 1u << bit;
        }
    }
    return result;
}

static uint32_t magnitude(int32_t value)
{
    return value < 0 ? 0u - (uint32_t)value : (uint32_t)value;
}

/* A 64-bit result comes back in r0 and r1; big-endian, r0 is its upper half. */
static uint64_t pair(uint32_t quotient, uint32_t remainder)
{
    return (uint64_t)quotient << 32 | remainder;
}

uint32_t __aeabi_uidiv(uint32_t numerator, uint32_t denominator)
{
    return divided(numerator, denominator).quotient;
}

uint64_t __aeabi_uidivmod(uint32_t numerator, uint32_t denominator)
{
    struct halves result = divided(numerator, denominator);
    return pair(result.quotient, result.remainder);
}

uint64_t __aeabi_idivmod(int32_t numerator, int32_t denominator)
{
    struct halves result = divided(magnitude(numerator), magnitude(denominator));
    uint32_t quotient = result.quotient, remainder = result.remainder;
    if ((numerator < 0) != (denominator < 0))
        quotient = 0u - quotient;
    if (numerator < 0)
        remainder = 0u - remainder;
    return pair(quotient, remainder);
}

int32_t __aeabi_idiv(int32_t numerator, int32_t denominator)
{
    return (int32_t)(__aeabi_idivmod(numerator, denominator) >> 32);
}
