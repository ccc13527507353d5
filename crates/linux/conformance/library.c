/* Routines of the C library that the file is linked with. */
#ifndef TINY_LIBC

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conformance.h"

/* Words and spaces that follow from `seed`, ended by 0. */
static void make_text(char *text, size_t size, u32 seed)
{
    size_t index;
    expand(text, size, seed);
    for (index = 0; index < size; index++)
        text[index] = "etAoin sHRdlu"[(u8)text[index] % 13];
    text[size - 1] = '\0';
}

CASE(library_string_lengths)
{
    char text[96];
    u32 offset;
    make_text(text, sizeof text, in[0]);
    text[in[1] % 90] = '\0';
    for (offset = 0; offset < 7; offset++)
        out[offset] = (u32)strlen(text + offset * 11 % 90);
    out[7] = (u32)strnlen(text, in[2] % 96);
}

CASE(library_string_copies)
{
    char text[64], copy[160];
    make_text(text, sizeof text, in[0]);
    text[in[1] % 60] = '\0';
    memset(copy, '#', sizeof copy);
    out[0] = (u32)(strcpy(copy + (in[2] & 7), text + (in[3] % 3)) - copy);
    out[1] = digest(copy, sizeof copy);
    strncpy(copy + 3, text, in[4] % 70);
    out[2] = digest(copy, sizeof copy);
    copy[80] = '\0';
    strcat(copy + 75, text);
    strncat(copy + 75, "appended", in[5] % 12);
    out[3] = digest(copy, sizeof copy);
    out[4] = (u32)(stpcpy(copy, text) - copy);
}

static u32 sign(int value)
{
    return value < 0 ? 1 : value > 0 ? 2 : 0;
}

CASE(library_string_comparisons)
{
    char left[48], right[48];
    u32 index;
    make_text(left, sizeof left, in[0]);
    for (index = 0; index < 8; index++) {
        memcpy(right, left, sizeof right);
        right[in[index] % 47] ^= (char)(in[index + 1] & 0x20);
        right[in[index + 2] % 40 + 7] = "\0a\xff~ "[in[index] % 5];
        out[index] = sign(strcmp(left + index, right + index));
        out[index] |= sign(strncmp(left, right, in[index + 1] % 48)) << 2;
        out[index] |= sign(strcasecmp(left, right)) << 4;
        out[index] |= sign(strncasecmp(left, right, in[index + 1] % 20)) << 6;
        out[index] |= sign(memcmp(left + index, right + index, 40)) << 8;
    }
}

static u32 place(const char *text, const char *found)
{
    return found == NULL ? 0xffffffffu : (u32)(found - text);
}

CASE(library_character_searches)
{
    char text[100];
    int c;
    make_text(text, sizeof text, in[0]);
    text[in[1] % 99] = '\0';
    c = text[in[2] % 99];
    out[0] = place(text, strchr(text, c));
    out[1] = place(text, strrchr(text, c));
    out[2] = place(text, memchr(text + 3, c, in[3] % 97));
    out[3] = place(text, strpbrk(text, "xyzRH"));
    out[4] = (u32)strspn(text, "etAoin");
    out[5] = (u32)strcspn(text, "luR");
    out[6] = place(text, memrchr(text, 'e', in[4] % 100));
    out[7] = place(text, strchr(text, '\0'));
}

CASE(library_substring_searches)
{
    char text[200], needle[40], upper[40];
    u32 start = in[1] % 150, length = in[2] % 39, index;
    make_text(text, sizeof text, in[0]);
    memcpy(needle, text + start, length);
    needle[length] = '\0';
    for (index = 0; index <= length; index++)
        upper[index] = (char)toupper((u8)needle[index]);
    out[0] = place(text, strstr(text, needle));
    out[1] = place(text, strstr(text, "to be"));
    out[2] = place(text, strcasestr(text, upper));
    out[3] = place(text, memmem(text, sizeof text, needle, length));
    out[4] = place(text, strstr(text + in[3] % 100, "e"));
    needle[length / 2] = '!';
    out[5] = place(text, strstr(text, needle));
}

CASE(library_tokens)
{
    char text[80], *rest = NULL, *token;
    u32 count = 0, sum = 0;
    make_text(text, sizeof text, in[0]);
    for (token = strtok_r(text, " A", &rest); token != NULL; token = strtok_r(NULL, " A", &rest)) {
        count++;
        sum = sum * 31 + (u32)strlen(token) + (u8)*token;
    }
    out[0] = count;
    out[1] = sum;
}

CASE(library_memory_copies)
{
    u8 bytes[300], copy[300];
    u32 index;
    expand(bytes, sizeof bytes, in[0]);
    memset(copy, (int)in[1], sizeof copy);
    for (index = 0; index < 6; index++) {
        u32 from = in[index] % 40, to = in[index + 1] % 40, size = in[index + 2] % 200;
        memcpy(copy + to, bytes + from, size);
        out[index] = digest(copy, sizeof copy);
    }
    memcpy(copy + 1, bytes + 2, 255);
    memset(copy + in[3] % 50, 0x5a, in[4] % 240);
    memset(copy + 7, 0, 33);
    out[6] = digest(copy, sizeof copy);
    out[7] = place((char *)copy, mempcpy(copy, bytes, in[5] % 17));
}

CASE(library_memory_moves)
{
    u8 bytes[256];
    u32 index;
    expand(bytes, sizeof bytes, in[0]);
    for (index = 0; index < 8; index++) {
        u32 from = in[index] % 60, to = in[index + 1] % 60, size = in[index + 2] % 190;
        memmove(bytes + to, bytes + from, size);
        out[index] = digest(bytes, sizeof bytes);
    }
}

CASE(library_number_parsing)
{
    static const char *const texts[] = {"  -12345xyz", "0x7fFf", "0755", "+2147483647", "zz", "-0",
                                        "4294967295", "99999"};
    char *end = NULL;
    int bases[] = {0, 10, 16, 8, 36, 2};
    const char *text = texts[in[0] & 7];
    out[0] = (u32)strtol(text, &end, bases[in[1] % 6]);
    out[1] = place(text, end);
    out[2] = (u32)strtoul(text, &end, bases[in[2] % 6]);
    out[3] = place(text, end);
    put64(out + 4, strtoull("18446744073709551557", NULL, 10) + strtoull(text, NULL, 0));
    out[6] = (u32)atoi(text);
    out[7] = (u32)atol(texts[in[3] & 7]);
}

CASE(library_number_formatting)
{
    char text[200];
    int length = snprintf(text, sizeof text, "%d|%u|%x|%08X|%-6d|%+d|%5u|%o|%#x|%hhd|%hu", (int)in[0],
                          in[1], in[2], in[3], (int)in[4] % 1000, (int)in[5], in[6] % 100, in[7],
                          in[8], (signed char)in[9], (unsigned short)in[0]);
    out[0] = (u32)length;
    out[1] = digest(text, strlen(text));
    length = snprintf(text, sizeof text, "%lld %llu %llx %ld %lu", (long long)get64(in),
                      (unsigned long long)get64(in + 2), (unsigned long long)get64(in + 4),
                      (long)(s32)in[6], (unsigned long)in[7]);
    out[2] = (u32)length;
    out[3] = digest(text, strlen(text));
    memset(out + 4, 0, 16);
    snprintf((char *)(out + 4), 16, "%d.%d.%d.%d", in[8] >> 24, in[8] >> 16 & 255, in[8] >> 8 & 255,
             in[8] & 255);
}

CASE(library_text_formatting)
{
    char text[160], word_text[24];
    int length;
    make_text(word_text, sizeof word_text, in[0]);
    length = snprintf(text, sizeof text, "[%s] [%-12.5s] [%10.3s] %c%c%% [%*d] [%.*s]", word_text,
                      word_text + 1, word_text + 2, 'a' + (int)(in[1] % 26), 'A' + (int)(in[2] % 26),
                      (int)(in[3] % 9), (int)in[4], (int)(in[5] % 20), word_text);
    out[0] = (u32)length;
    out[1] = digest(text, strlen(text));
    memset(text, 0, sizeof text);
    out[2] = (u32)snprintf(text, in[6] % 12, "/bin/busybox %s", word_text);
    out[3] = digest(text, sizeof text);
}

CASE(library_float_formatting)
{
    char text[120];
    double value = (double)(s32)in[0] / 1024.0, small = 1.0 / (1.0 + in[1]);
    snprintf(text, sizeof text, "%.3f %e %g %10.2f %.0f", value, value * 1e10, small, small, value);
    out[0] = digest(text, strlen(text));
    out[1] = (u32)strlen(text);
    out[2] = (u32)(s32)(strtod("-1234.5678e3", NULL) + atof("0.03125") * (double)in[2]);
}

CASE(library_scanning)
{
    char text[64], name[16] = "";
    unsigned int a = 0, b = 0;
    int c = 0;
    snprintf(text, sizeof text, "%u:%x %d host-%u", in[0], in[1], (int)in[2], in[3] & 0xffff);
    out[0] = (u32)sscanf(text, "%u:%x %d %15s", &a, &b, &c, name);
    out[1] = a;
    out[2] = b;
    out[3] = (u32)c;
    out[4] = digest(name, strlen(name));
}

static int by_value(const void *left, const void *right)
{
    u32 a = *(const u32 *)left, b = *(const u32 *)right;
    return a < b ? -1 : a > b;
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

CASE(library_sorting)
{
    u32 values[40], *found, key;
    char texts[12][8], *pointers[12];
    u32 index, sum = 0;
    expand(values, sizeof values, in[0]);
    memcpy(values, in, sizeof(u32) * INPUTS);
    qsort(values, 40, sizeof(u32), by_value);
    out[0] = values[0];
    out[1] = values[39];
    out[2] = digest(values, sizeof values);
    key = in[in[1] % INPUTS];
    found = bsearch(&key, values, 40, sizeof(u32), by_value);
    out[3] = found == NULL ? 99 : *found ^ key;
    key ^= 0x55;
    out[4] = bsearch(&key, values, 40, sizeof(u32), by_value) == NULL;
    for (index = 0; index < 12; index++) {
        make_text(texts[index], 8, in[0] + index);
        pointers[index] = texts[index];
    }
    qsort(pointers, 12, sizeof(char *), by_text);
    for (index = 0; index < 12; index++)
        sum = sum * 31 + (u32)(pointers[index] - texts[0]);
    out[5] = sum;
}

CASE(library_internet_addresses)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr address;
    address.s_addr = in[0];
    out[0] = inet_ntop(AF_INET, &address, text, sizeof text) == text;
    out[1] = digest(text, strlen(text));
    out[2] = inet_addr(text) ^ in[0];
    out[3] = (u32)inet_pton(AF_INET, text, &address);
    out[4] = address.s_addr ^ in[0];
    out[5] = (u32)inet_pton(AF_INET, "256.1.2.3", &address);
    out[6] = htonl(in[1]) ^ ntohl(in[2]);
    out[7] = (u32)htons((u16)in[3]) << 16 | ntohs((u16)in[4]);
}

CASE(library_character_classes)
{
    u32 index;
    for (index = 0; index < 128; index++) {
        int c = (int)(index + in[0]) & 127;
        u32 bits = (isalpha(c) != 0) | (isdigit(c) != 0) << 1 | (isspace(c) != 0) << 2 |
                   (isupper(c) != 0) << 3 | (ispunct(c) != 0) << 4 | (isxdigit(c) != 0) << 5 |
                   (isprint(c) != 0) << 6 | (iscntrl(c) != 0) << 7;
        out[index & 7] = out[index & 7] * 31 + bits;
        out[index & 7] += (u32)(tolower(c) * 3 + toupper(c));
    }
}

CASE(library_heap)
{
    char *blocks[8], *copy;
    u32 index, sum = 0;
    for (index = 0; index < 8; index++) {
        u32 size = in[index] % 3000 + 1;
        blocks[index] = malloc(size);
        expand(blocks[index], size, index);
        sum ^= digest(blocks[index], size);
    }
    free(blocks[3]);
    blocks[3] = calloc(in[3] % 50 + 1, 8);
    sum += digest(blocks[3], 8);
    blocks[5] = realloc(blocks[5], in[5] % 3000 + 5000);
    sum ^= digest(blocks[5], in[5] % 3000 + 1);
    copy = strdup("enable\0system");
    sum += (u32)strlen(copy);
    free(copy);
    for (index = 0; index < 8; index++)
        free(blocks[index]);
    out[0] = sum;
}

CASE(library_small_numbers)
{
    unsigned int seed = in[0];
    div_t parts = div((int)(in[1] >> 1), (int)(in[2] >> 20) + 1);
    ldiv_t more = ldiv(-(long)(in[3] >> 2), (long)(in[4] >> 24) + 1);
    out[0] = (u32)parts.quot;
    out[1] = (u32)parts.rem;
    out[2] = (u32)more.quot;
    out[3] = (u32)more.rem;
    out[4] = (u32)abs((int)(in[5] | 1)) + (u32)labs((long)(s32)(in[6] | 1));
    out[5] = (u32)rand_r(&seed);
    out[6] = seed;
}

#ifdef WITH_MATH
static u32 close(double value)
{
    float single = (float)value;
    u32 bits;
    memcpy(&bits, &single, 4);
    return value == value ? bits : 0x7fc00000;
}

CASE(library_mathematics)
{
    double x = (double)(s32)in[0] / 268435456.0, y = (double)in[1] / 65536.0 + 0.5;
    out[0] = close(sin(x));
    out[1] = close(exp(x));
    out[2] = close(log(y));
    out[3] = close(pow(y, 1.5));
    out[4] = close(sqrt(y));
    out[5] = close(floor(x) + ceil(y));
    out[6] = close(atan2(x, y));
    out[7] = close(fmod(y, 3.25));
}
#endif

#endif
