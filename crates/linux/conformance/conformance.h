/*
 * Pure functions whose results two machines compare: every case takes the words of `in`, leaves
 * words in `out`, and depends on nothing else. What a case computes need not be the same on all
 * CPUs, only on both machines that run the same file.
 */
#ifndef CONFORMANCE_H
#define CONFORMANCE_H

#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;
typedef unsigned long word;

#define INPUTS 10
#define OUTPUTS 8

/* How a case is called. */
enum shape {
    /* void (const u32 in[INPUTS], u32 out[OUTPUTS]) */
    BLOCK,
    /* word (word, ...), ten of them: registers and stack of the calling convention */
    WORDS,
    /* u64 (word, ...): as WORDS, with a result that takes two registers of a 32-bit CPU */
    WIDE
};

struct test_case {
    const char *name;
    unsigned int shape;
    void (*function)(void);
};

/* Clang's linker would drop what nothing names. */
#if defined(__clang__)
#define KEPT used, retain
#else
#define KEPT used
#endif

/* The linker collects the cases of all files. */
#define REGISTER(NAME, SHAPE)                                                          \
    static const struct test_case entry_##NAME                                         \
        __attribute__((KEPT, section("conformance_cases"), aligned(sizeof(void *)))) = \
            {#NAME, SHAPE, (void (*)(void))case_##NAME}

#define CASE(NAME)                                          \
    void case_##NAME(const u32 in[INPUTS], u32 out[OUTPUTS]); \
    REGISTER(NAME, BLOCK);                                  \
    void case_##NAME(const u32 in[INPUTS], u32 out[OUTPUTS])

#define TEN_WORDS word a, word b, word c, word d, word e, word f, word g, word h, word i, word j

#define WORDS_CASE(NAME)              \
    word case_##NAME(TEN_WORDS);      \
    REGISTER(NAME, WORDS);            \
    word case_##NAME(TEN_WORDS)

#define WIDE_CASE(NAME)               \
    u64 case_##NAME(TEN_WORDS);       \
    REGISTER(NAME, WIDE);             \
    u64 case_##NAME(TEN_WORDS)

/* Keeps a call in the code, so that the calling convention is what is tested. */
#if defined(__clang__)
#define NOINLINE __attribute__((noinline))
#else
#define NOINLINE __attribute__((noinline, noclone))
#endif

/* What the compiler may not see through. */
#define OPAQUE(VALUE) __asm__ volatile("" : "+r"(VALUE))

static inline void put64(u32 out[2], u64 value)
{
    out[0] = (u32)(value >> 32);
    out[1] = (u32)value;
}

static inline u64 get64(const u32 in[2])
{
    return (u64)in[0] << 32 | in[1];
}

/* Fills memory with bytes that follow from `seed`. */
void expand(void *memory, size_t size, u32 seed);
/* A number that follows from all bytes of a piece of memory (FNV-1a). */
u32 digest(const void *memory, size_t size);

#endif
