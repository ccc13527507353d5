/* Branches, jump tables, loops and recursion. */
#include "conformance.h"

static NOINLINE u32 dense_switch(u32 selector, u32 value)
{
    switch (selector) {
    case 0: return value + 11;
    case 1: return value ^ 0x1234;
    case 2: return value * 3;
    case 3: return value - 99;
    case 4: return ~value;
    case 5: return value >> 3;
    case 6: return value << 2;
    case 7: return value & 0xff00ff;
    case 8: return value | 0x808080;
    case 9: return value % 1000;
    case 10: return 0u - value;
    case 11: return value / 9;
    default: return value;
    }
}

CASE(switch_with_jump_table)
{
    int index;
    for (index = 0; index < 8; index++)
        out[index] = dense_switch(in[index] % 14, in[index + 1]) + dense_switch(index, in[index]);
}

static NOINLINE u32 sparse_switch(u32 selector)
{
    switch (selector) {
    case 0: return 1;
    case 7: return 2;
    case 100: return 3;
    case 0x7f: return 4;
    case 0x80: return 5;
    case 1000: return 6;
    case 0x8000: return 7;
    case 65536: return 8;
    case 0x7fffffff: return 9;
    case 0x80000000u: return 10;
    case 0xffffff80u: return 11;
    case 0xffffffffu: return 12;
    default: return 0;
    }
}

CASE(switch_with_comparisons)
{
    static const u32 selectors[] = {7, 100, 127, 128, 1000, 32768, 65536, 101};
    int index;
    for (index = 0; index < 8; index++)
        out[index] = sparse_switch(in[index]) << 8 | sparse_switch(selectors[index]);
}

CASE(switch_falls_through)
{
    int index;
    for (index = 0; index < 8; index++) {
        u32 sum = in[index + 1];
        switch (in[index] & 7) {
        case 7: sum += 70; /* fall through */
        case 6: sum *= 6; /* fall through */
        case 5: sum ^= 55; break;
        case 4: sum -= 4; /* fall through */
        case 3: sum <<= 3; break;
        case 2: sum |= 2; /* fall through */
        case 1: sum += 1; break;
        default: sum = 0;
        }
        out[index] = sum;
    }
}

/* A recogniser of decimal and hexadecimal numbers, one character at a time. */
CASE(state_machine)
{
    static const char alphabet[] = "0123456789abcdefx -+";
    enum { START, SIGN, ZERO, DECIMAL, PREFIX, HEX, BAD } state = START;
    u32 counts[7] = {0, 0, 0, 0, 0, 0, 0};
    u8 text[256];
    u32 value = 0;
    size_t index;
    expand(text, sizeof text, in[0]);
    for (index = 0; index < sizeof text; index++) {
        char c = alphabet[(text[index] ^ in[1]) % 20];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        switch (state) {
        case START:
            state = c == '-' || c == '+' ? SIGN : c == '0' ? ZERO : digit >= 0 ? DECIMAL : START;
            break;
        case SIGN:
            state = c == '0' ? ZERO : digit >= 0 && digit < 10 ? DECIMAL : BAD;
            break;
        case ZERO:
            state = c == 'x' ? PREFIX : c == ' ' ? START : DECIMAL;
            break;
        case DECIMAL:
            if (digit >= 0 && digit < 10)
                value = value * 10 + (u32)digit;
            else
                state = c == ' ' ? START : BAD;
            break;
        case PREFIX:
            state = digit >= 0 ? HEX : BAD;
            break;
        case HEX:
            if (digit >= 0)
                value = value << 4 ^ (u32)digit;
            else
                state = START;
            break;
        default:
            if (c == ' ')
                state = START;
        }
        counts[state]++;
    }
    for (index = 0; index < 7; index++)
        out[index] = counts[index];
    out[7] = value;
}

CASE(computed_goto)
{
    static const void *const labels[] = {&&add, &&exclusive, &&rotate, &&negate, &&stop};
    u32 value = in[0], steps = 0, program = in[1];
next:
    steps++;
    goto *labels[steps > 24 ? 4 : program & 3];
add:
    value += program | 1;
    program = program >> 2 | program << 30;
    goto next;
exclusive:
    value ^= in[2] + steps;
    program = program >> 3 | program << 29;
    goto next;
rotate:
    value = value << 5 | value >> 27;
    program ^= program << 7;
    goto next;
negate:
    value = ~value;
    program += 0x9e3779b9u;
    goto next;
stop:
    out[0] = value;
    out[1] = program;
}

CASE(nested_loops)
{
    u32 sum = 0, skipped = 0;
    int row, column, depth;
    for (row = 0; row < 12; row++) {
        for (column = row; column < 20; column++) {
            if ((in[0] >> (column & 31) & 1) != 0) {
                skipped++;
                continue;
            }
            depth = 0;
            do {
                sum += (u32)(row * column + depth);
                if (depth++ > (int)(in[1] & 7))
                    break;
            } while (sum % 13 != 0);
            if (sum > 50000)
                goto done;
        }
        while (skipped > 20)
            skipped -= 7;
    }
done:
    out[0] = sum;
    out[1] = skipped;
    out[2] = (u32)row;
}

CASE(collatz)
{
    int index;
    for (index = 0; index < 8; index++) {
        u32 value = (in[index] & 0xffff) + 1, steps = 0;
        while (value != 1 && steps < 300) {
            value = value & 1 ? value * 3 + 1 : value >> 1;
            steps++;
        }
        out[index] = steps;
    }
}

static int calls;

static int touched(u32 value)
{
    calls++;
    return (value & 4) != 0;
}

CASE(short_circuit)
{
    int index;
    for (index = 0; index < 7; index++) {
        calls = 0;
        out[index] = (u32)((touched(in[index]) && touched(in[index + 1])) ||
                           (touched(in[index + 2]) && !touched(in[index + 3])));
        out[index] |= (u32)calls << 4;
    }
    out[7] = in[0] > 5 ? in[1] > 5 ? 1 : 2 : in[2] > 5 ? 3 : in[3] > 5 ? 4 : 5;
}

static NOINLINE u32 factorial(u32 n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

static NOINLINE u32 fibonacci(u32 n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static NOINLINE u32 ackermann(u32 m, u32 n)
{
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

CASE(recursion)
{
    out[0] = factorial(in[0] % 20);
    out[1] = fibonacci(in[1] % 14);
    out[2] = ackermann(in[2] % 3, in[3] % 5);
}

static NOINLINE int is_odd(u32 n);

static NOINLINE int is_even(u32 n)
{
    return n == 0 ? 1 : is_odd(n - 1);
}

static NOINLINE int is_odd(u32 n)
{
    return n == 0 ? 0 : is_even(n - 1);
}

CASE(mutual_recursion)
{
    int index;
    for (index = 0; index < 8; index++)
        out[index] = (u32)(is_even(in[index] % 60) * 2 + is_odd(in[index + 1] % 60));
}

static void hanoi(u32 disks, u32 from, u32 to, u32 by, u32 pegs[3], u32 *moves)
{
    if (disks == 0)
        return;
    hanoi(disks - 1, from, by, to, pegs, moves);
    pegs[from] -= 1u << disks;
    pegs[to] += 1u << disks;
    *moves = *moves * 31 + from * 3 + to;
    hanoi(disks - 1, by, to, from, pegs, moves);
}

CASE(recursion_with_six_arguments)
{
    u32 pegs[3] = {0x3fe, 0, 0};
    hanoi(in[0] % 7, 0, 2, 1, pegs, out);
    out[1] = pegs[0];
    out[2] = pegs[1];
    out[3] = pegs[2];
}

/* All ways to put queens on a small board. */
static u32 queens(u32 row, u32 size, u32 columns, u32 left, u32 right)
{
    u32 count = 0, column;
    if (row == size)
        return 1;
    for (column = 0; column < size; column++) {
        u32 bit = 1u << column;
        if ((columns & bit) == 0 && (left & bit) == 0 && (right & bit) == 0)
            count += queens(row + 1, size, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

CASE(backtracking)
{
    out[0] = queens(0, in[0] % 6 + 1, 0, 0, 0);
    out[1] = queens(1, 6, 1u << in[1] % 6, 2u << in[1] % 6, (1u << in[1] % 6) >> 1);
}
