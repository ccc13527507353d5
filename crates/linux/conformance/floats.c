/* Floating point: of the CPU where it has any, of the compiler's routines elsewhere. */
#include "conformance.h"

#ifndef NO_SUPPORT_LIBRARY

#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <string.h>
#endif

/* Which not-a-number comes out is not what is compared. */
static void put_double(u32 out[2], double value)
{
    u64 bits = 0x7ff8000000000000ull;
    if (value == value)
        memcpy(&bits, &value, 8);
    put64(out, bits);
}

static u32 float_bits(float value)
{
    u32 bits = 0x7fc00000;
    if (value == value)
        memcpy(&bits, &value, 4);
    return bits;
}

static float make_float(u32 bits)
{
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

static double make_double(const u32 in[2])
{
    u64 bits = get64(in);
    double value;
    memcpy(&value, &bits, 8);
    return value;
}

/* Any bits but those of a number that is none. */
static double number(const u32 in[2])
{
    double value = make_double(in);
    return value == value ? value : (double)(s32)in[0];
}

static float single(u32 bits)
{
    float value = make_float(bits);
    return value == value ? value : (float)(s32)bits;
}

CASE(double_arithmetic)
{
    double a = number(in), b = number(in + 2);
    put_double(out, a + b);
    put_double(out + 2, a - b);
    put_double(out + 4, a * b);
    put_double(out + 6, a / b);
}

CASE(float_arithmetic)
{
    float a = single(in[0]), b = single(in[1]);
    out[0] = float_bits(a + b);
    out[1] = float_bits(a - b);
    out[2] = float_bits(a * b);
    out[3] = float_bits(a / b);
    out[4] = float_bits(-a);
    out[5] = float_bits(a < 0 ? -a : a);
    out[6] = float_bits(a * 3.0f + b * 0.1f);
    out[7] = float_bits(1.0f / (b * b + 1.0f));
}

CASE(double_of_integers)
{
    put_double(out, (double)(s32)in[0]);
    put_double(out + 2, (double)in[1]);
    put_double(out + 4, (double)(s64)get64(in + 2));
    put_double(out + 6, (double)get64(in + 4));
}

CASE(float_of_integers)
{
    out[0] = float_bits((float)(s32)in[0]);
    out[1] = float_bits((float)in[1]);
    out[2] = float_bits((float)(s64)get64(in + 2));
    out[3] = float_bits((float)get64(in + 4));
    out[4] = float_bits((float)(s16)in[6]);
    out[5] = float_bits((float)(u8)in[7]);
}

/* A double between -2^30 and 2^30 with a fraction. */
static double moderate(u32 high, u32 low)
{
    return (double)(s32)high / 2.0 + (double)low / 8589934592.0;
}

CASE(integers_of_double)
{
    double value = moderate(in[0], in[1]);
    out[0] = (u32)(s32)value;
    out[1] = (u32)(value < 0 ? -value : value);
    put64(out + 2, (u64)(s64)(value * 4294967296.0));
    put64(out + 4, (u64)((value < 0 ? -value : value) * 8589934592.0));
    out[6] = (u32)(s16)(value / 65536.0);
    out[7] = (u8)((value < 0 ? -value : value) / 8388608.0);
}

CASE(integers_of_float)
{
    float value = (float)moderate(in[0], in[1]);
    float positive = value < 0 ? -value : value;
    out[0] = (u32)(s32)value;
    out[1] = (u32)positive;
    put64(out + 2, (u64)(s64)(value * 1024.0f));
    put64(out + 4, (u64)(positive * 8192.0f));
    out[6] = (u32)(s32)(value * 0.001f);
}

CASE(float_conversions)
{
    double a = number(in);
    float b = single(in[2]);
    out[0] = float_bits((float)a);
    put_double(out + 1, (double)b);
    out[3] = float_bits((float)((double)b * 1.0000001));
    put_double(out + 4, (double)(float)moderate(in[3], in[4]));
    out[6] = float_bits((float)moderate(in[5], in[6]));
}

CASE(float_comparisons)
{
    int index;
    for (index = 0; index < 4; index++) {
        double a = make_double(in + index), b = make_double(in + index + 2);
        float c = make_float(in[index]), d = make_float(in[index + 1]);
        out[index] = (u32)(a < b) | (u32)(a <= b) << 1 | (u32)(a > b) << 2 | (u32)(a >= b) << 3 |
                     (u32)(a == b) << 4 | (u32)(a != b) << 5 | (u32)(a != a) << 6;
        out[index + 4] = (u32)(c < d) | (u32)(c <= d) << 1 | (u32)(c > d) << 2 |
                         (u32)(c >= d) << 3 | (u32)(c == d) << 4 | (u32)(c != d) << 5;
        if (!(a < b) && !(c >= d))
            out[index] |= 0x100;
    }
}

CASE(special_numbers)
{
    double zero = 0.0, one = 1.0, infinite, none;
    float small = make_float(in[0] & 0x007fffff);
    OPAQUE(zero);
    infinite = one / zero;
    none = zero / zero;
    put_double(out, infinite);
    out[2] = (u32)(none == none) | (u32)(infinite > 1e308) << 1 | (u32)(-infinite < 0) << 2;
    out[3] = float_bits(small * 0.5f);
    out[4] = float_bits(small + make_float(0x00800000));
    put_double(out + 5, infinite - infinite);
    out[7] = float_bits((float)(1e-40 * (in[1] & 0xffff)));
}

static NOINLINE double newton_root(double value)
{
    double root = value > 1 ? value : 1;
    int step;
    for (step = 0; step < 40; step++)
        root = 0.5 * (root + value / root);
    return root;
}

CASE(square_root_by_newton)
{
    put_double(out, newton_root((double)in[0]));
    put_double(out + 2, newton_root((double)in[1] / 65536.0));
    put_double(out + 4, newton_root(2.0));
}

CASE(sine_series)
{
    double x = (double)(s32)in[0] / 2147483648.0 * 3.141592653589793, term = x, sum = x;
    float y = (float)x, product = 1, exponential = 1;
    int index;
    for (index = 1; index < 12; index++) {
        term = -term * x * x / (2 * index * (2 * index + 1));
        sum += term;
        product = product * y / (float)index;
        exponential += product;
    }
    put_double(out, sum);
    out[2] = float_bits(exponential);
}

CASE(mandelbrot)
{
    int index;
    for (index = 0; index < 6; index++) {
        double cr = (double)(s32)in[index] / 1073741824.0, ci = (double)(s32)in[index + 1] / 2147483648.0;
        double x = 0, y = 0;
        u32 steps = 0;
        while (steps < 60 && x * x + y * y <= 4.0) {
            double next = x * x - y * y + cr;
            y = 2 * x * y + ci;
            x = next;
            steps++;
        }
        out[index] = steps;
    }
}

struct point { double x, y; };
struct triple { float x, y, z; };
struct tagged { u32 tag; double value; };

static NOINLINE struct point rotated(struct point from, double by)
{
    struct point made = {from.x * by - from.y, from.x + from.y * by};
    return made;
}

static NOINLINE struct triple cross(struct triple a, struct triple b)
{
    struct triple made = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
    return made;
}

static NOINLINE struct tagged tag(u32 number, double value, u32 other)
{
    struct tagged made = {number ^ other, value / (other % 7 + 1)};
    return made;
}

CASE(structures_of_floats)
{
    struct point point = {(double)(s32)in[0], (double)(s32)in[1]};
    struct triple a = {(float)(s16)in[2], (float)(s16)in[3], (float)(s16)in[4]};
    struct triple b = {(float)(s16)in[5], (float)(s16)in[6], (float)(s16)in[7]};
    struct tagged tagged = tag(in[8], (double)in[9], in[0]);
    point = rotated(point, 0.75);
    a = cross(a, b);
    put_double(out, point.x);
    put_double(out + 2, point.y);
    out[4] = float_bits(a.x) ^ float_bits(a.z);
    out[5] = tagged.tag;
    put_double(out + 6, tagged.value);
}

static NOINLINE double mixed(int a, double b, float c, u64 d, double e, float f, double g, double h,
                             double i, float j, double k, u32 l)
{
    return a + b * 2 + c * 3 + (double)d + e * 5 + f * 7 + g * 11 + h * 13 + i * 17 + j * 19 +
           k * 23 + l;
}

static NOINLINE double sum_doubles(u32 count, ...)
{
    va_list list;
    double sum = 0;
    va_start(list, count);
    while (count-- > 0) {
        sum = sum * 0.5 + va_arg(list, double);
        sum += va_arg(list, u32);
    }
    va_end(list);
    return sum;
}

CASE(floats_as_arguments)
{
    double a = (double)(s32)in[0], b = (double)in[1];
    float c = (float)(s16)in[2];
    put_double(out, mixed((int)in[3] >> 4, a, c, in[4], b, c + 1, a - b, 0.5, 1.5, c, b, in[5]));
    put_double(out + 2, sum_doubles(4, a, in[6], b, in[7], (double)c, in[8], 0.25, in[9]));
}

/* SPARC's routines for it are part of the GNU C library alone. */
#if !(defined(__sparc__) && (defined(TINY_LIBC) || defined(__UCLIBC__)))
CASE(long_double)
{
    long double a = (long double)(s32)in[0], b = (long double)in[1] + 1, sum = 0;
    int index;
    for (index = 0; index < 10; index++)
        sum += (long double)in[index] / 3;
    put_double(out, (double)(a * b));
    put_double(out + 2, (double)(a / b));
    put_double(out + 4, (double)sum);
    put64(out + 6, (u64)(s64)(sum / 7));
}
#endif

CASE(rounding)
{
    double x = moderate(in[0], in[1]) / 1024.0, down, even;
    down = (double)(s32)x;
    if (down > x)
        down -= 1;
    even = (x + 6755399441055744.0);
    OPAQUE(x);
    put_double(out, down);
    put_double(out + 2, even - 6755399441055744.0);
    out[4] = float_bits((float)16777217.0);
    out[5] = float_bits((float)(16777216.0 + (in[2] & 7)));
    put_double(out + 6, 9007199254740992.0 + (double)(in[3] & 7));
}

CASE(polynomial_and_products)
{
    float values[10], sum = 0, product = 1;
    double polynomial = 0;
    int index;
    for (index = 0; index < 10; index++) {
        values[index] = (float)((s32)in[index] >> 8) / 4096.0f;
        sum += values[index] * values[9 - (9 - index)];
        product *= values[index] * 0.01f;
        polynomial = polynomial * 1.0009765625 + values[index];
    }
    out[0] = float_bits(sum);
    out[1] = float_bits(product);
    put_double(out + 2, polynomial);
}

#endif
