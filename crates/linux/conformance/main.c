/*
 * Runs every case with every set of inputs and prints one line for each:
 *     shape name inputs... : outputs...
 */
#include "conformance.h"
#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <string.h>
#include <unistd.h>
#endif

#define SETS 8

extern const struct test_case __start_conformance_cases[];
extern const struct test_case __stop_conformance_cases[];

static char line[1 << 12];
static size_t used;

static void flush(void)
{
    size_t done = 0;
    while (done < used) {
        ssize_t count = write(1, line + done, used - done);
        if (count <= 0)
            break;
        done += (size_t)count;
    }
    used = 0;
}

static void put_text(const char *text)
{
    while (*text != '\0')
        line[used++] = *text++;
}

static void put_word(u32 value)
{
    int shift;
    line[used++] = ' ';
    for (shift = 28; shift >= 0; shift -= 4)
        line[used++] = "0123456789abcdef"[value >> shift & 15];
}

static u32 next(u32 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static u32 input(unsigned int set, unsigned int index, u32 *state)
{
    static const u32 edges[] = {0x80000000u, 1, 0x7fffffffu, 0xffffffffu, 0xffff8000u,
                                0x7fu,       0, 0x10000u,    0xfffffffeu, 0x8000u, 0x80u};
    u32 random = next(state);
    switch (set) {
    case 0:
        return 0;
    case 1:
        return 0xffffffffu;
    case 2:
        return index + 1;
    case 3:
        return edges[index % 11];
    case 4:
        return edges[random % 11];
    case 5:
        return random & 0xff;
    default:
        return random;
    }
}

static void call(const struct test_case *test, const u32 in[INPUTS], u32 out[OUTPUTS])
{
    typedef void block_function(const u32 *, u32 *);
    typedef word words_function(TEN_WORDS);
    typedef u64 wide_function(TEN_WORDS);
    u64 value = 0;
    if (test->shape == BLOCK) {
        ((block_function *)test->function)(in, out);
        return;
    }
    if (test->shape == WORDS)
        value = ((words_function *)test->function)(in[0], in[1], in[2], in[3], in[4], in[5],
                                                   in[6], in[7], in[8], in[9]);
    else
        value = ((wide_function *)test->function)(in[0], in[1], in[2], in[3], in[4], in[5],
                                                  in[6], in[7], in[8], in[9]);
    put64(out, value);
}

static void run(const struct test_case *test, unsigned int set)
{
    static const char *const shapes[] = {"block ", "words ", "wide "};
    u32 in[INPUTS], out[OUTPUTS];
    u32 state = digest(test->name, strlen(test->name)) * 31 + set;
    unsigned int index;
    for (index = 0; index < INPUTS; index++)
        in[index] = input(set, index, &state);
    for (index = 0; index < OUTPUTS; index++)
        out[index] = 0;
    call(test, in, out);
    put_text(shapes[test->shape]);
    put_text(test->name);
    for (index = 0; index < INPUTS; index++)
        put_word(in[index]);
    put_text(" :");
    for (index = 0; index < OUTPUTS; index++)
        put_word(out[index]);
    put_text("\n");
    if (used > sizeof line / 2)
        flush();
}

int main(void)
{
    const struct test_case *test;
    unsigned int set;
    for (test = __start_conformance_cases; test < __stop_conformance_cases; test++)
        for (set = 0; set < SETS; set++)
            run(test, set);
    flush();
    return 0;
}
