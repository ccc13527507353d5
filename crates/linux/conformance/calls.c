/* The calling convention between compiled functions. */
#include "conformance.h"

typedef u32 operation(u32, u32);

static u32 plus(u32 a, u32 b) { return a + b; }
static u32 minus(u32 a, u32 b) { return a - b; }
static u32 times(u32 a, u32 b) { return a * b; }
static u32 exclusive(u32 a, u32 b) { return a ^ b; }
static u32 swapped(u32 a, u32 b) { return (a & 0xffff) << 16 | b >> 16; }

static operation *const operations[] = {plus, minus, times, exclusive, swapped};

CASE(function_pointer_table)
{
    int index;
    for (index = 0; index < 8; index++)
        out[index] = operations[in[index] % 5](in[index + 1], in[index + 2]);
}

static NOINLINE operation *chosen(u32 selector)
{
    return selector & 1 ? minus : swapped;
}

struct visitor {
    u32 (*visit)(struct visitor *self, u32 value);
    u32 total;
};

static u32 visit_sum(struct visitor *self, u32 value)
{
    return self->total += value;
}

static u32 visit_mix(struct visitor *self, u32 value)
{
    self->total = self->total * 33 ^ value;
    return self->total >> 5;
}

static NOINLINE u32 visit_all(struct visitor *visitor, const u32 *values, u32 count)
{
    u32 last = 0;
    while (count-- > 0)
        last ^= visitor->visit(visitor, *values++);
    return last;
}

CASE(callbacks)
{
    struct visitor sum = {visit_sum, 0}, mix = {visit_mix, 5381};
    out[0] = visit_all(&sum, in, INPUTS);
    out[1] = sum.total;
    out[2] = visit_all(&mix, in, in[0] % INPUTS);
    out[3] = mix.total;
    out[4] = chosen(in[1])(in[2], in[3]);
    out[5] = chosen(in[2])(in[4], in[5]);
}

static NOINLINE u32 twelve(u32 a, u32 b, u32 c, u32 d, u32 e, u32 f, u32 g, u32 h, u32 i, u32 j,
                           u32 k, u32 l)
{
    return a - b + c * 3 - d * 5 + e * 7 - f * 11 + g * 13 - h * 17 + i * 19 - j * 23 + k * 29 - l;
}

CASE(many_arguments)
{
    out[0] = twelve(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9], 1, 2);
    out[1] = twelve(1, 2, 3, in[9], in[8], in[7], in[6], in[5], in[4], in[3], in[2], in[1]);
}

static NOINLINE u64 mixed(u8 a, u64 b, s16 c, u32 d, s8 e, u64 f, u16 g, s64 h, s32 i)
{
    return a + b * 3 + (u64)(s64)c * 5 + d + (u64)(s64)e * 7 + f * 11 + g + (u64)h * 13 +
           (u64)(s64)i * 17;
}

CASE(arguments_of_mixed_width)
{
    put64(out, mixed((u8)in[0], get64(in + 1), (s16)in[3], in[4], (s8)in[5], get64(in + 6),
                     (u16)in[8], (s64)get64(in + 8), (s32)in[9]));
}

static NOINLINE u64 pairs(u64 a, u32 b, u64 c, u64 d, u32 e, u64 f)
{
    return a ^ (c << 8) ^ (d >> 8) ^ (f * 3) ^ ((u64)b << 32 | e);
}

CASE(arguments_in_pairs)
{
    put64(out, pairs(get64(in), in[2], get64(in + 3), get64(in + 5), in[7], get64(in + 8)));
}

static NOINLINE u32 sum_list(u32 count, ...)
{
    va_list list;
    u32 sum = count;
    va_start(list, count);
    while (count-- > 0)
        sum = sum * 31 + va_arg(list, u32);
    va_end(list);
    return sum;
}

CASE(variable_arguments)
{
    out[0] = sum_list(0);
    out[1] = sum_list(1, in[0]);
    out[2] = sum_list(4, in[0], in[1], in[2], in[3]);
    out[3] = sum_list(10, in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8], in[9]);
}

/* 'u': u32, 'w': u64, 'p': pointer to u32. */
static NOINLINE u64 sum_typed(const char *types, ...)
{
    va_list list, copy;
    u64 sum = 0;
    va_start(list, types);
    va_copy(copy, list);
    for (; *types != '\0'; types++) {
        if (*types == 'u')
            sum = sum * 7 + va_arg(list, u32);
        else if (*types == 'w')
            sum = sum * 7 + va_arg(list, u64);
        else
            sum = sum * 7 + *va_arg(list, const u32 *);
    }
    va_end(list);
    sum ^= va_arg(copy, u32);
    va_end(copy);
    return sum;
}

CASE(variable_arguments_of_mixed_width)
{
    put64(out, sum_typed("uwuwp", in[0], get64(in + 1), in[3], get64(in + 4), in + 6));
    put64(out + 2, sum_typed("uuwpuuww", in[0], in[1], get64(in + 2), in + 4, in[5], in[6],
                             get64(in + 7), get64(in + 8)));
}

struct two_bytes { u8 a, b; };
struct four_bytes { u16 a; u8 b; u8 c; };
struct pair { u32 a, b; };
struct three { u32 a, b, c; };
struct wide_pair { u64 a; u32 b; };
struct large { u32 values[17]; u8 tail; };
union number { u32 whole; u16 halves[2]; u8 bytes[4]; };

static NOINLINE struct two_bytes make_two(u32 a, u32 b)
{
    struct two_bytes made = {(u8)a, (u8)(b >> 8)};
    return made;
}

static NOINLINE struct four_bytes make_four(u32 a, u32 b)
{
    struct four_bytes made = {(u16)a, (u8)b, (u8)(b >> 16)};
    return made;
}

static NOINLINE struct pair make_pair(u32 a, u32 b)
{
    struct pair made = {a + b, a - b};
    return made;
}

static NOINLINE struct three make_three(struct pair from, u32 c)
{
    struct three made = {from.a, from.b ^ c, c};
    return made;
}

static NOINLINE struct wide_pair make_wide(u64 a, u32 b)
{
    struct wide_pair made = {a * 3, b + 1};
    return made;
}

static NOINLINE struct large make_large(const u32 *from, u8 tail)
{
    struct large made;
    int index;
    for (index = 0; index < 17; index++)
        made.values[index] = from[index % INPUTS] + (u32)index;
    made.tail = tail;
    return made;
}

static NOINLINE u32 take_large(struct large taken, u32 index)
{
    taken.values[3] ^= 1;
    return taken.values[index] + taken.tail;
}

CASE(small_structures_returned)
{
    struct two_bytes two = make_two(in[0], in[1]);
    struct four_bytes four = make_four(in[2], in[3]);
    struct pair pair = make_pair(in[4], in[5]);
    out[0] = two.a;
    out[1] = two.b;
    out[2] = four.a;
    out[3] = four.b;
    out[4] = four.c;
    out[5] = pair.a;
    out[6] = pair.b;
}

CASE(large_structures_returned)
{
    struct three three = make_three(make_pair(in[0], in[1]), in[2]);
    struct wide_pair wide = make_wide(get64(in + 3), in[5]);
    struct large large = make_large(in, (u8)in[6]);
    out[0] = three.a;
    out[1] = three.b;
    out[2] = three.c;
    put64(out + 3, wide.a);
    out[5] = wide.b;
    out[6] = large.values[in[7] % 17];
    out[7] = large.tail;
}

static NOINLINE u32 take_small(struct two_bytes a, struct four_bytes b, u32 c, struct pair d,
                               struct three e, struct wide_pair f)
{
    return a.a + a.b * 3u + b.a * 5u + b.b * 7u + b.c * 11u + c * 13 + d.a * 17 + d.b * 19 +
           e.a * 23 + e.b * 29 + e.c * 31 + (u32)f.a * 37 + (u32)(f.a >> 32) * 41 + f.b;
}

CASE(structures_passed)
{
    struct pair pair = {in[3], in[4]};
    struct three three = {in[5], in[6], in[7]};
    struct wide_pair wide = {get64(in + 8), in[0]};
    struct large large = make_large(in, (u8)in[1]);
    out[0] = take_small(make_two(in[0], in[1]), make_four(in[1], in[2]), in[2], pair, three, wide);
    out[1] = take_large(large, in[2] % 17);
    out[2] = take_large(large, 3) - large.values[3];
}

static NOINLINE union number reversed(union number from)
{
    union number made;
    made.bytes[0] = from.bytes[3];
    made.bytes[1] = from.bytes[2];
    made.bytes[2] = from.bytes[1];
    made.bytes[3] = from.bytes[0];
    return made;
}

CASE(unions_passed_and_returned)
{
    int index;
    for (index = 0; index < 4; index++) {
        union number number;
        number.whole = in[index];
        out[index * 2] = reversed(number).whole;
        out[index * 2 + 1] = reversed(number).halves[index & 1];
    }
}

static NOINLINE u32 on_stack(const u32 *values, u32 count)
{
    u32 copy[count];
    u8 *more = __builtin_alloca(count * 3);
    u32 index, sum = 0;
    for (index = 0; index < count; index++) {
        copy[index] = values[count - 1 - index];
        more[index * 3] = (u8)values[index];
    }
    for (index = 0; index < count; index++)
        sum = sum * 17 + copy[index] + more[index * 3];
    return sum;
}

CASE(arrays_of_variable_size)
{
    out[0] = on_stack(in, in[0] % INPUTS + 1);
    out[1] = on_stack(in, in[1] % INPUTS + 1);
    out[2] = on_stack(in, INPUTS);
}

static u32 count = 7;

static NOINLINE u32 counter(u32 step)
{
    static u32 history[4] = {1, 2, 3, 4};
    u32 *slot = &history[count & 3], old = *slot;
    count += step;
    *slot = step;
    step = count + history[0] - history[3];
    *slot = old;
    return step;
}

/* Leaves its static state as it was: which case ran before must not matter. */
CASE(static_variables)
{
    int index;
    for (index = 0; index < 6; index++)
        out[index] = counter(in[index] & 3);
    out[6] = count;
    count = 7;
}

static NOINLINE u32 tail(u32 count, u32 value)
{
    if (count == 0)
        return value;
    return tail(count - 1, value * 5 + count);
}

WORDS_CASE(words_through_a_tail_call)
{
    return tail((u32)(a & 63), (u32)(b ^ j)) + (word)(c < d) + (e >> 3) + f + g + h + i;
}

WORDS_CASE(words_through_the_stack)
{
    volatile word kept[10];
    kept[0] = j, kept[1] = i, kept[2] = h, kept[3] = g, kept[4] = f;
    kept[5] = e, kept[6] = d, kept[7] = c, kept[8] = b, kept[9] = a;
    return kept[a % 10] + kept[9 - b % 10] * 3 + twelve((u32)j, (u32)i, (u32)h, (u32)g, (u32)f,
                                                        (u32)e, (u32)d, (u32)c, (u32)b, (u32)a, 0, 1);
}
