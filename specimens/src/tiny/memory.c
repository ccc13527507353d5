/* Heap and block operations of the tiny C library. */
#include "tiny.h"
#include "numbers.h"

long tiny_syscall(long number, long a, long b, long c, long d, long e, long f);

#define HEAP_STEP 16384ul
#define ALIGNMENT 16ul

/* Every block stands behind its size. */
struct block {
    size_t size;
};

/* The block that was given back last, taken again when it is large enough. */
static void *spare;
static size_t spare_size;
static unsigned long heap_next;
static unsigned long heap_end;

static size_t rounded(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static struct block *header_of(void *memory)
{
    return (struct block *)((char *)memory - ALIGNMENT);
}

void *malloc(size_t size)
{
    struct block *fresh;
    size = rounded(size + 1);
    if (spare_size >= size) {
        spare_size = 0;
        return spare;
    }
    if (heap_next < HEAP_STEP) {
        heap_end = (unsigned long)tiny_syscall(NR_BRK, 0, 0, 0, 0, 0, 0);
        heap_next = rounded(heap_end);
    }
    if (heap_next + ALIGNMENT + size > heap_end) {
        unsigned long wanted = heap_next + ALIGNMENT + size + HEAP_STEP;
        if ((unsigned long)tiny_syscall(NR_BRK, (long)wanted, 0, 0, 0, 0, 0) < wanted)
            return NULL;
        heap_end = wanted;
    }
    fresh = (struct block *)heap_next;
    fresh->size = size;
    heap_next += ALIGNMENT + size;
    return (char *)fresh + ALIGNMENT;
}

void free(void *memory)
{
    if (memory == NULL)
        return;
    spare = memory;
    spare_size = header_of(memory)->size;
}

void *calloc(size_t count, size_t size)
{
    void *memory = malloc(count * size);
    if (memory != NULL)
        memset(memory, 0, count * size);
    return memory;
}

void *realloc(void *memory, size_t size)
{
    void *grown;
    size_t old;
    if (memory == NULL)
        return malloc(size);
    old = header_of(memory)->size;
    if (old >= size)
        return memory;
    grown = malloc(size);
    if (grown == NULL)
        return NULL;
    memcpy(grown, memory, old);
    free(memory);
    return grown;
}

void *memcpy(void *to, const void *from, size_t count)
{
    unsigned char *out = to;
    const unsigned char *in = from;
    while (count-- > 0)
        *out++ = *in++;
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    unsigned char *out = to;
    const unsigned char *in = from;
    if (out <= in)
        return memcpy(to, from, count);
    while (count-- > 0)
        out[count] = in[count];
    return to;
}

void *memset(void *to, int value, size_t count)
{
    unsigned char *out = to;
    while (count-- > 0)
        *out++ = (unsigned char)value;
    return to;
}

int memcmp(const void *left, const void *right, size_t count)
{
    const unsigned char *a = left;
    const unsigned char *b = right;
    for (; count > 0; count--, a++, b++)
        if (*a != *b)
            return *a - *b;
    return 0;
}
