/* Text and address parsing of the tiny C library. */
#include "tiny.h"

size_t strlen(const char *text)
{
    const char *end = text;
    while (*end != '\0')
        end++;
    return (size_t)(end - text);
}

int strcmp(const char *left, const char *right)
{
    while (*left != '\0' && *left == *right) {
        left++;
        right++;
    }
    return (unsigned char)*left - (unsigned char)*right;
}

int atoi(const char *text)
{
    int value = 0;
    int negative = *text == '-';
    if (negative)
        text++;
    while (*text >= '0' && *text <= '9')
        value = value * 10 + (*text++ - '0');
    return negative ? -value : value;
}

in_addr_t inet_addr(const char *dotted)
{
    uint32_t address = 0;
    int part;
    for (part = 0; part < 4; part++) {
        uint32_t octet = 0;
        if (*dotted < '0' || *dotted > '9')
            return 0xffffffffu;
        while (*dotted >= '0' && *dotted <= '9')
            octet = octet * 10 + (uint32_t)(*dotted++ - '0');
        if (octet > 255 || (part < 3 && *dotted++ != '.'))
            return 0xffffffffu;
        address = address << 8 | octet;
    }
    return htonl(address);
}

static int hexadecimal(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return -1;
}

/* Groups with one "::", lower case, no dotted tail: all that the specimens use. */
static int parse_groups(const char *text, uint8_t *out)
{
    uint8_t groups[16];
    int filled = 0, gap = -1, tail;
    while (*text != '\0' && filled < 16) {
        unsigned int value = 0;
        if (text[0] == ':' && text[1] == ':') {
            gap = filled;
            text += 2;
            continue;
        }
        if (*text == ':')
            text++;
        if (hexadecimal(*text) < 0)
            return 0;
        while (hexadecimal(*text) >= 0)
            value = value << 4 | (unsigned int)hexadecimal(*text++);
        groups[filled++] = (uint8_t)(value >> 8);
        groups[filled++] = (uint8_t)value;
    }
    memset(out, 0, 16);
    if (gap < 0)
        gap = filled;
    tail = filled - gap;
    memcpy(out, groups, (size_t)gap);
    memcpy(out + 16 - tail, groups + gap, (size_t)tail);
    return 1;
}

int inet_pton(int family, const char *text, void *address)
{
    if (family == AF_INET6)
        return parse_groups(text, address);
    *(in_addr_t *)address = inet_addr(text);
    return 1;
}
