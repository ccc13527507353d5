/* Vector instructions that compilers use unasked: SSE2, which every x86-64 CPU has. */
#if defined(__i386__) && !defined(__clang__)
#pragma GCC target("sse2")
#define HAS_VECTORS
#elif defined(__SSE2__)
#define HAS_VECTORS
#endif

#include "conformance.h"

#ifdef HAS_VECTORS
#include <emmintrin.h>

#ifdef __i386__
#define ALIGNED __attribute__((force_align_arg_pointer))
#else
#define ALIGNED
#endif

static __m128i numbers(const u32 *from)
{
    return _mm_loadu_si128((const __m128i *)from);
}

static void put(u32 *to, __m128i value)
{
    _mm_storeu_si128((__m128i *)to, value);
}

/* Numbers only: what comes of those that are none differs between CPUs. */
static __m128 singles(const u32 *from)
{
    return _mm_cvtepi32_ps(numbers(from));
}

static __m128d doubles(const u32 *from)
{
    return _mm_cvtepi32_pd(numbers(from));
}

#define VECTOR_CASE(NAME)                                            \
    ALIGNED void case_##NAME(const u32 in[INPUTS], u32 out[OUTPUTS]); \
    CASE(NAME)

#define TWO_OPERANDS(NAME, FUNCTION)                       \
    VECTOR_CASE(vector_##NAME)                             \
    {                                                      \
        __m128i a = numbers(in), b = numbers(in + 4);      \
        put(out, FUNCTION(a, b));                          \
        put(out + 4, FUNCTION(b, _mm_shuffle_epi32(a, 27))); \
    }

/* Every element is shifted by as much as the other operand's low half says. */
#define SHIFT(NAME, FUNCTION, CONSTANT)                                    \
    VECTOR_CASE(vector_##NAME)                                             \
    {                                                                      \
        __m128i a = numbers(in);                                           \
        put(out, FUNCTION(a, _mm_set_epi32(3, 5, 0, (int)(in[4] & 71))));  \
        put(out + 4, _mm_add_epi32(CONSTANT(a, 3), CONSTANT(a, 15)));      \
    }

#define SINGLES(NAME, FUNCTION)                                                 \
    VECTOR_CASE(vector_##NAME)                                                  \
    {                                                                           \
        __m128 a = singles(in), b = singles(in + 4);                            \
        put(out, _mm_castps_si128(FUNCTION(a, b)));                             \
        put(out + 4, _mm_castps_si128(FUNCTION(b, _mm_shuffle_ps(a, a, 27))));  \
    }

#define DOUBLES(NAME, FUNCTION)                                                 \
    VECTOR_CASE(vector_##NAME)                                                  \
    {                                                                           \
        __m128d a = doubles(in), b = doubles(in + 4);                           \
        put(out, _mm_castpd_si128(FUNCTION(a, b)));                             \
        put(out + 4, _mm_castpd_si128(FUNCTION(b, _mm_shuffle_pd(a, a, 1))));   \
    }

TWO_OPERANDS(add_bytes, _mm_add_epi8)
TWO_OPERANDS(add_words, _mm_add_epi16)
TWO_OPERANDS(add_double_words, _mm_add_epi32)
TWO_OPERANDS(add_quad_words, _mm_add_epi64)
TWO_OPERANDS(add_signed_bytes, _mm_adds_epi8)
TWO_OPERANDS(add_signed_words, _mm_adds_epi16)
TWO_OPERANDS(add_unsigned_bytes, _mm_adds_epu8)
TWO_OPERANDS(add_unsigned_words, _mm_adds_epu16)
TWO_OPERANDS(subtract_bytes, _mm_sub_epi8)
TWO_OPERANDS(subtract_words, _mm_sub_epi16)
TWO_OPERANDS(subtract_double_words, _mm_sub_epi32)
TWO_OPERANDS(subtract_quad_words, _mm_sub_epi64)
TWO_OPERANDS(subtract_signed_bytes, _mm_subs_epi8)
TWO_OPERANDS(subtract_signed_words, _mm_subs_epi16)
TWO_OPERANDS(subtract_unsigned_bytes, _mm_subs_epu8)
TWO_OPERANDS(subtract_unsigned_words, _mm_subs_epu16)
TWO_OPERANDS(and, _mm_and_si128)
TWO_OPERANDS(and_not, _mm_andnot_si128)
TWO_OPERANDS(or, _mm_or_si128)
TWO_OPERANDS(exclusive_or, _mm_xor_si128)
TWO_OPERANDS(average_bytes, _mm_avg_epu8)
TWO_OPERANDS(average_words, _mm_avg_epu16)
TWO_OPERANDS(greater_unsigned_bytes, _mm_max_epu8)
TWO_OPERANDS(greater_signed_words, _mm_max_epi16)
TWO_OPERANDS(lesser_unsigned_bytes, _mm_min_epu8)
TWO_OPERANDS(lesser_signed_words, _mm_min_epi16)
TWO_OPERANDS(equal_bytes, _mm_cmpeq_epi8)
TWO_OPERANDS(equal_words, _mm_cmpeq_epi16)
TWO_OPERANDS(equal_double_words, _mm_cmpeq_epi32)
TWO_OPERANDS(above_bytes, _mm_cmpgt_epi8)
TWO_OPERANDS(above_words, _mm_cmpgt_epi16)
TWO_OPERANDS(above_double_words, _mm_cmpgt_epi32)
TWO_OPERANDS(multiply_low_words, _mm_mullo_epi16)
TWO_OPERANDS(multiply_high_words, _mm_mulhi_epi16)
TWO_OPERANDS(multiply_high_unsigned_words, _mm_mulhi_epu16)
TWO_OPERANDS(multiply_double_words, _mm_mul_epu32)
TWO_OPERANDS(sums_of_products, _mm_madd_epi16)
TWO_OPERANDS(distances, _mm_sad_epu8)
TWO_OPERANDS(pack_signed_words, _mm_packs_epi16)
TWO_OPERANDS(pack_signed_double_words, _mm_packs_epi32)
TWO_OPERANDS(pack_unsigned_bytes, _mm_packus_epi16)
TWO_OPERANDS(low_bytes, _mm_unpacklo_epi8)
TWO_OPERANDS(low_words, _mm_unpacklo_epi16)
TWO_OPERANDS(low_double_words, _mm_unpacklo_epi32)
TWO_OPERANDS(low_quad_words, _mm_unpacklo_epi64)
TWO_OPERANDS(high_bytes, _mm_unpackhi_epi8)
TWO_OPERANDS(high_words, _mm_unpackhi_epi16)
TWO_OPERANDS(high_double_words, _mm_unpackhi_epi32)
TWO_OPERANDS(high_quad_words, _mm_unpackhi_epi64)

SHIFT(shift_words_left, _mm_sll_epi16, _mm_slli_epi16)
SHIFT(shift_double_words_left, _mm_sll_epi32, _mm_slli_epi32)
SHIFT(shift_quad_words_left, _mm_sll_epi64, _mm_slli_epi64)
SHIFT(shift_words_right, _mm_srl_epi16, _mm_srli_epi16)
SHIFT(shift_double_words_right, _mm_srl_epi32, _mm_srli_epi32)
SHIFT(shift_quad_words_right, _mm_srl_epi64, _mm_srli_epi64)
SHIFT(shift_signed_words_right, _mm_sra_epi16, _mm_srai_epi16)
SHIFT(shift_signed_double_words_right, _mm_sra_epi32, _mm_srai_epi32)

SINGLES(add_singles, _mm_add_ps)
SINGLES(subtract_singles, _mm_sub_ps)
SINGLES(multiply_singles, _mm_mul_ps)
SINGLES(greater_singles, _mm_max_ps)
SINGLES(lesser_singles, _mm_min_ps)
SINGLES(less_singles, _mm_cmplt_ps)
SINGLES(not_less_singles, _mm_cmpnlt_ps)
SINGLES(equal_singles, _mm_cmpeq_ps)
SINGLES(ordered_singles, _mm_cmpord_ps)
SINGLES(greater_single, _mm_max_ss)
SINGLES(less_single, _mm_cmplt_ss)
SINGLES(low_singles, _mm_unpacklo_ps)
SINGLES(high_singles, _mm_unpackhi_ps)
SINGLES(from_high_singles, _mm_movehl_ps)

DOUBLES(add_doubles, _mm_add_pd)
DOUBLES(subtract_doubles, _mm_sub_pd)
DOUBLES(multiply_doubles, _mm_mul_pd)
DOUBLES(greater_doubles, _mm_max_pd)
DOUBLES(lesser_doubles, _mm_min_pd)
DOUBLES(less_or_equal_doubles, _mm_cmple_pd)
DOUBLES(not_equal_doubles, _mm_cmpneq_pd)
DOUBLES(lesser_double, _mm_min_sd)
DOUBLES(low_doubles, _mm_unpacklo_pd)

VECTOR_CASE(vector_shuffles)
{
    __m128i a = numbers(in), b = numbers(in + 4);
    __m128 c = _mm_castsi128_ps(a), d = _mm_castsi128_ps(b);
    put(out, _mm_shuffle_epi32(_mm_shufflelo_epi16(a, 0x39), 0x4e));
    put(out + 4, _mm_xor_si128(_mm_shufflehi_epi16(b, 0xc6),
                               _mm_castps_si128(_mm_shuffle_ps(c, d, 0x8d))));
}

VECTOR_CASE(vector_byte_shifts)
{
    __m128i a = numbers(in), b = numbers(in + 4);
    put(out, _mm_xor_si128(_mm_slli_si128(a, 3), _mm_slli_si128(b, 8)));
    put(out + 4, _mm_xor_si128(_mm_srli_si128(a, 11), _mm_srli_si128(b, 1)));
}

VECTOR_CASE(vector_masks)
{
    __m128i a = numbers(in), b = numbers(in + 4);
    out[0] = (u32)_mm_movemask_epi8(a);
    out[1] = (u32)_mm_movemask_epi8(_mm_cmpeq_epi8(a, b));
    out[2] = (u32)_mm_movemask_ps(_mm_castsi128_ps(a));
    out[3] = (u32)_mm_movemask_pd(_mm_castsi128_pd(b));
    out[4] = (u32)_mm_extract_epi16(a, 5);
    out[5] = (u32)_mm_cvtsi128_si32(_mm_insert_epi16(b, (int)in[8], 1));
    out[6] = (u32)_mm_cvtsi128_si32(_mm_move_epi64(b));
}

VECTOR_CASE(vector_conversions)
{
    __m128i a = numbers(in);
    /* Of a size that the 32-bit results can hold. */
    __m128i small = _mm_srai_epi32(a, 8);
    put(out, _mm_add_epi32(_mm_cvttps_epi32(_mm_cvtepi32_ps(small)),
                           _mm_cvtps_epi32(_mm_mul_ps(_mm_cvtepi32_ps(small),
                                                      _mm_set1_ps(0.25f)))));
    put(out + 4, _mm_add_epi32(_mm_cvttpd_epi32(_mm_cvtepi32_pd(a)),
                               _mm_castps_si128(_mm_cvtpd_ps(_mm_cvtepi32_pd(a)))));
}

#endif
