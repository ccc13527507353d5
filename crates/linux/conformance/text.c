/* Text: parsing, formatting, encoding, searching. */
#include "conformance.h"
#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <string.h>
#endif

/* Lower-case words and spaces that follow from `seed`, ended by 0. */
static void make_text(char *text, size_t size, u32 seed)
{
    size_t index;
    expand(text, size, seed);
    for (index = 0; index < size; index++)
        text[index] = "etaoin shrdlu"[(u8)text[index] % 13];
    text[size - 1] = '\0';
}

static NOINLINE u32 format_decimal(char *text, s32 value)
{
    char digits[12];
    u32 rest = value < 0 ? 0u - (u32)value : (u32)value, count = 0, length = 0;
    if (value < 0)
        text[length++] = '-';
    do {
        digits[count++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest != 0);
    while (count > 0)
        text[length++] = digits[--count];
    text[length] = '\0';
    return length;
}

static NOINLINE s32 parse_decimal(const char *text)
{
    u32 value = 0;
    int negative = *text == '-';
    text += negative;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + (u32)(*text++ - '0');
    return (s32)(negative ? 0u - value : value);
}

CASE(decimal_both_ways)
{
    int index;
    for (index = 0; index < 4; index++) {
        char text[16];
        out[index * 2] = format_decimal(text, (s32)in[index]) << 24;
        out[index * 2] ^= digest(text, strlen(text)) & 0xffffff;
        out[index * 2 + 1] = (u32)parse_decimal(text) ^ in[index];
    }
}

CASE(hexadecimal)
{
    static const char digits[] = "0123456789ABCDEF";
    const u8 *bytes = (const u8 *)in;
    char text[81];
    u32 index, value = 0;
    for (index = 0; index < 40; index++) {
        text[index * 2] = digits[bytes[index] >> 4];
        text[index * 2 + 1] = digits[bytes[index] & 15];
    }
    text[80] = '\0';
    for (index = 0; text[index] != '\0'; index++) {
        char c = text[index] | 0x20;
        value = value * 16 + (u32)(c <= '9' ? c - '0' : c - 'a' + 10);
        value ^= value >> 27;
    }
    out[0] = digest(text, 80);
    out[1] = value;
}

CASE(base64_both_ways)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    u8 plain[30], back[30];
    char text[41];
    u32 index, at = 0;
    memcpy(plain, in, sizeof plain);
    for (index = 0; index < 30; index += 3) {
        u32 group = (u32)plain[index] << 16 | (u32)plain[index + 1] << 8 | plain[index + 2];
        text[at++] = digits[group >> 18];
        text[at++] = digits[group >> 12 & 63];
        text[at++] = digits[group >> 6 & 63];
        text[at++] = digits[group & 63];
    }
    text[at] = '\0';
    out[0] = digest(text, at);
    for (index = 0, at = 0; text[index] != '\0'; index += 4, at += 3) {
        u32 group = 0, digit;
        for (digit = 0; digit < 4; digit++) {
            char c = text[index + digit];
            u32 value = c >= 'a'   ? (u32)(c - 'a') + 26
                        : c >= 'A' ? (u32)(c - 'A')
                        : c >= '0' ? (u32)(c - '0') + 52
                                   : c == '+' ? 62u : 63u;
            group = group << 6 | value;
        }
        back[at] = (u8)(group >> 16);
        back[at + 1] = (u8)(group >> 8);
        back[at + 2] = (u8)group;
    }
    out[1] = (u32)memcmp(plain, back, 30);
}

static NOINLINE int parse_address(const char *text, u32 *address)
{
    u32 part, value = 0;
    for (part = 0; part < 4; part++) {
        u32 number = 0, digits = 0;
        while (*text >= '0' && *text <= '9') {
            number = number * 10 + (u32)(*text++ - '0');
            if (++digits > 3 || number > 255)
                return 0;
        }
        if (digits == 0 || *text != (part < 3 ? '.' : '\0'))
            return 0;
        text++;
        value = value << 8 | number;
    }
    *address = value;
    return 1;
}

CASE(internet_addresses)
{
    static const char *const bad[] = {"1.2.3", "1.2.3.256", "1..2.3", "a.b.c.d", "1.2.3.4.5", ""};
    int index;
    for (index = 0; index < 6; index++) {
        char text[20];
        u32 at = 0, part, address = 0;
        for (part = 0; part < 4; part++) {
            at += format_decimal(text + at, (s32)(in[index] >> (24 - 8 * part) & 255));
            text[at++] = part < 3 ? '.' : '\0';
        }
        out[index] = (u32)parse_address(text, &address) + (address ^ in[index]) + at;
        out[6] = out[6] << 1 | (u32)parse_address(bad[index], &address);
    }
}

static int matches(const char *pattern, const char *text)
{
    while (*pattern != '\0') {
        if (*pattern == '*')
            return matches(pattern + 1, text) || (*text != '\0' && matches(pattern, text + 1));
        if (*text == '\0' || (*pattern != '?' && *pattern != *text))
            return 0;
        pattern++;
        text++;
    }
    return *text == '\0';
}

CASE(wildcards)
{
    static const char *const patterns[] = {"*e*", "?*t*", "*a?i*", "e*", "*o", "*s*h*", "*", "??"};
    char text[24];
    int index;
    make_text(text, sizeof text, in[0]);
    for (index = 0; index < 8; index++)
        out[index] = (u32)matches(patterns[index], text);
}

CASE(edit_distance)
{
    char left[24], right[24];
    u8 row[24];
    u32 i, j;
    make_text(left, sizeof left, in[0]);
    make_text(right, sizeof right, in[1]);
    for (j = 0; j < 24; j++)
        row[j] = (u8)j;
    for (i = 1; i < 24; i++) {
        u8 diagonal = row[0];
        row[0] = (u8)i;
        for (j = 1; j < 24; j++) {
            u8 best = (u8)(diagonal + (left[i - 1] != right[j - 1]));
            diagonal = row[j];
            if (diagonal + 1 < best)
                best = (u8)(diagonal + 1);
            if (row[j - 1] + 1 < best)
                best = (u8)(row[j - 1] + 1);
            row[j] = best;
        }
    }
    out[0] = row[23];
    out[1] = digest(row, sizeof row);
}

CASE(word_counts)
{
    char text[128];
    u32 words = 0, longest = 0, length = 0, letters[26];
    const char *cursor;
    make_text(text, sizeof text, in[0]);
    memset(letters, 0, sizeof letters);
    for (cursor = text; *cursor != '\0'; cursor++) {
        if (*cursor == ' ') {
            length = 0;
            continue;
        }
        letters[*cursor - 'a']++;
        words += length == 0;
        if (++length > longest)
            longest = length;
    }
    out[0] = words;
    out[1] = longest;
    out[2] = digest(letters, sizeof letters);
}

CASE(substring_search)
{
    char text[128], needle[4];
    u8 skip[4];
    u32 i, j = 0, found = 0;
    make_text(text, sizeof text, in[0]);
    memcpy(needle, text + in[1] % 100, 3);
    needle[3] = '\0';
    skip[0] = 0;
    for (i = 1; i < 3; i++) {
        while (j > 0 && needle[i] != needle[j])
            j = skip[j - 1];
        j += needle[i] == needle[j];
        skip[i] = (u8)j;
    }
    for (i = 0, j = 0; text[i] != '\0'; i++) {
        while (j > 0 && text[i] != needle[j])
            j = skip[j - 1];
        j += text[i] == needle[j];
        if (j == 3) {
            found = found * 131 + i;
            j = skip[2];
        }
    }
    out[0] = found;
}

CASE(run_length_coding)
{
    u8 plain[96], packed[200], back[96];
    u32 index, at = 0, length = 0;
    expand(plain, sizeof plain, in[0]);
    for (index = 0; index < sizeof plain; index++)
        plain[index] = plain[index] >> 6;
    for (index = 0; index < sizeof plain;) {
        u8 count = 1;
        while (index + count < sizeof plain && plain[index + count] == plain[index])
            count++;
        packed[at++] = count;
        packed[at++] = plain[index];
        index += count;
    }
    for (index = 0; index < at; index += 2) {
        memset(back + length, packed[index + 1], packed[index]);
        length += packed[index];
    }
    out[0] = at;
    out[1] = digest(packed, at);
    out[2] = (u32)memcmp(plain, back, sizeof plain);
}

CASE(text_to_upper_and_back)
{
    char text[64];
    char *cursor;
    make_text(text, sizeof text, in[0]);
    for (cursor = text; *cursor != '\0'; cursor++)
        if (*cursor >= 'a' && *cursor <= 'z' && ((cursor - text) & in[1]))
            *cursor = (char)(*cursor - 'a' + 'A');
    out[0] = digest(text, sizeof text);
    for (cursor = text; *cursor != '\0'; cursor++)
        if (*cursor >= 'A' && *cursor <= 'Z')
            *cursor |= 0x20;
    out[1] = digest(text, sizeof text);
    for (cursor = text + strlen(text) - 1; cursor > text && *cursor == ' '; cursor--)
        *cursor = '\0';
    out[2] = (u32)strlen(text);
}
