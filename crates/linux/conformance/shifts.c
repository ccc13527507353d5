/* Shifts, rotations and fields of bits. */
#include "conformance.h"
#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <string.h>
#endif

CASE(shift_by_variable)
{
    u32 count = in[1] & 31;
    out[0] = in[0] << count;
    out[1] = in[0] >> count;
    out[2] = (u32)((s32)in[0] >> count);
    out[3] = (u32)((s16)in[2] >> (in[3] & 15));
    out[4] = (u32)((u8)in[4] << (in[5] & 7));
    out[5] = 1u << (in[6] & 31);
    out[6] = in[7] >> (in[8] & 31) & 1;
    out[7] = (u32)((u16)in[9] >> (in[0] & 15));
}

CASE(shift_by_constant)
{
    out[0] = in[0] << 1 ^ in[0] >> 1;
    out[1] = in[1] << 8 ^ in[1] >> 8;
    out[2] = in[2] << 16 ^ in[2] >> 16;
    out[3] = in[3] << 31 ^ in[3] >> 31;
    out[4] = (u32)((s32)in[4] >> 1);
    out[5] = (u32)((s32)in[5] >> 13);
    out[6] = (u32)((s32)in[6] >> 31);
    out[7] = in[7] << 17 | in[8] >> 15;
}

static u32 rotate_left(u32 value, u32 count)
{
    count &= 31;
    return value << count | value >> ((32 - count) & 31);
}

CASE(rotate)
{
    u16 half = (u16)in[6];
    u8 byte = (u8)in[7];
    out[0] = rotate_left(in[0], in[1]);
    out[1] = rotate_left(in[2], 32 - (in[3] & 31));
    out[2] = rotate_left(in[4], 7);
    out[3] = rotate_left(in[5], 16);
    out[4] = (u16)(half << 5 | half >> 11);
    out[5] = (u8)(byte << 3 | byte >> 5);
    put64(out + 6, get64(in + 8) << 23 | get64(in + 8) >> 41);
}

CASE(shift_wide_by_variable)
{
    u64 value = get64(in);
    u32 count = in[2] & 63;
    put64(out, value << count);
    put64(out + 2, value >> count);
    put64(out + 4, (u64)((s64)value >> count));
    put64(out + 6, value << (in[3] & 31) | value >> (32 + (in[4] & 31)));
}

CASE(shift_wide_by_constant)
{
    u64 value = get64(in);
    put64(out, value << 1 ^ value << 31 ^ value << 32);
    put64(out + 2, value >> 1 ^ value >> 33 ^ value >> 63);
    put64(out + 4, (u64)((s64)value >> 3 ^ (s64)value >> 32 ^ (s64)value >> 47));
    put64(out + 6, value << 8 | value >> 56);
}

struct fields {
    u32 a : 3;
    u32 b : 7;
    s32 c : 5;
    u32 d : 17;
    u64 e : 33;
    s64 f : 20;
};

CASE(bit_fields)
{
    struct fields fields;
    memset(&fields, 0, sizeof fields);
    fields.a = in[0] & 7;
    fields.b = in[1] & 127;
    fields.c = (s32)(in[2] << 27) >> 27;
    fields.d = in[3] & 0x1ffff;
    fields.e = get64(in + 4) & 0x1ffffffffull;
    fields.f = (s64)((u64)in[6] << 44) >> 44;
    fields.b += fields.a;
    fields.d ^= fields.b;
    out[0] = fields.a;
    out[1] = fields.b;
    out[2] = (u32)fields.c;
    out[3] = fields.d;
    put64(out + 4, fields.e);
    out[6] = (u32)fields.f;
    out[7] = digest(&fields, sizeof fields);
}

CASE(extract_and_insert)
{
    u32 start = in[1] & 15, width = (in[2] & 15) + 1;
    u32 mask = (1u << width) - 1;
    out[0] = in[0] >> start & mask;
    out[1] = (in[0] & ~(mask << start)) | (in[3] & mask) << start;
    out[2] = in[4] >> 7 & 0x3f;
    out[3] = (in[5] & 0xffff00ffu) | (in[6] & 0xff) << 8;
    out[4] = (u32)((s32)(in[7] << 9) >> 20);
    out[5] = in[8] & (in[8] - 1);
    out[6] = in[9] & (0u - in[9]);
    out[7] = (in[0] & 0xff) << 24 | (in[1] & 0xff00) << 8 | (in[2] >> 8 & 0xff00) | in[3] >> 24;
}

CASE(bit_set)
{
    u32 set[8];
    u32 count = 0;
    int index;
    for (index = 0; index < 8; index++)
        set[index] = 0;
    for (index = 0; index < 10; index++)
        set[in[index] >> 5 & 7] ^= 1u << (in[index] & 31);
    for (index = 0; index < 256; index++)
        count += set[index >> 5] >> (index & 31) & 1;
    for (index = 0; index < 7; index++)
        out[index] = set[index];
    out[7] = set[7] + count;
}
