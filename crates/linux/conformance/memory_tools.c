/* What the cases make their memory from and report it by. */
#include "conformance.h"

void expand(void *memory, size_t size, u32 seed)
{
    u8 *bytes = memory;
    size_t index;
    u32 state = seed ^ 0x9e3779b9u;
    for (index = 0; index < size; index++) {
        state = state * 1664525u + 1013904223u;
        bytes[index] = (u8)(state >> 24);
    }
}

u32 digest(const void *memory, size_t size)
{
    const u8 *bytes = memory;
    u32 hash = 2166136261u;
    size_t index;
    for (index = 0; index < size; index++)
        hash = (hash ^ bytes[index]) * 16777619u;
    return hash;
}
