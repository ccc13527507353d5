/* Random numbers: a 128-bit xorshift seeded from clock and process ids. */
#include "table.h"
#include "util.h"

static uint32_t state[4];

void rand_init(void)
{
    state[0] = (uint32_t)time(NULL);
    state[1] = (uint32_t)getpid() ^ (uint32_t)getppid();
    state[2] = state[0] * 2654435761u;
    state[3] = state[2] ^ state[1] ^ 0x9e3779b9u;
}

uint32_t rand_next(void)
{
    uint32_t mixed = state[0];
    mixed ^= mixed << 11;
    mixed ^= mixed >> 8;
    state[0] = state[1];
    state[1] = state[2];
    state[2] = state[3];
    state[3] ^= state[3] >> 19;
    state[3] ^= mixed;
    return state[3];
}

void rand_bytes(char *out, int count)
{
    while (count > 0) {
        uint32_t value = rand_next();
        int step = count < 4 ? count : 4, i;
        for (i = 0; i < step; i++) {
            *out++ = (char)value;
            value >>= 8;
        }
        count -= step;
    }
}

void rand_alphastr(char *out, int count)
{
    const char *alphabet = LITERAL(ALPHABET);
    while (count-- > 0)
        *out++ = alphabet[rand_next() & 31];
}
