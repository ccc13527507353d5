/* Text, memory and number helpers. */
#include "util.h"

ipv4_t local_address;

int util_strlen(const char *text)
{
    int count = 0;
    while (text[count] != '\0')
        count++;
    return count;
}

void util_memcpy(void *to, const void *from, int count)
{
    char *out = to;
    const char *in = from;
    while (count-- > 0)
        *out++ = *in++;
}

void util_zero(void *memory, int count)
{
    char *out = memory;
    while (count-- > 0)
        *out++ = 0;
}

int util_strcpy(char *to, const char *from)
{
    int length = util_strlen(from);
    util_memcpy(to, from, length + 1);
    return length;
}

static char lower(char letter)
{
    return letter >= 'A' && letter <= 'Z' ? (char)(letter + ('a' - 'A')) : letter;
}

/* Offset behind the first match regardless of case, or -1. */
int util_stristr(const char *haystack, int length, const char *needle)
{
    int matched = 0, wanted = util_strlen(needle), i;
    for (i = 0; i < length; i++) {
        if (lower(haystack[i]) == lower(needle[matched])) {
            if (++matched == wanted)
                return i + 1;
        } else {
            matched = 0;
        }
    }
    return -1;
}

int util_same(const char *left, const char *right)
{
    int length = util_strlen(left), i;
    if (length != util_strlen(right))
        return 0;
    for (i = 0; i < length; i++)
        if (left[i] != right[i])
            return 0;
    return 1;
}

char *util_itoa(int value, int base, char *out)
{
    char digits[34];
    int count = 0, at = 0;
    unsigned int rest = value < 0 ? 0u - (unsigned int)value : (unsigned int)value;
    do {
        unsigned int digit = rest % (unsigned int)base;
        digits[count++] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
        rest /= (unsigned int)base;
    } while (rest != 0);
    if (value < 0)
        out[at++] = '-';
    while (count > 0)
        out[at++] = digits[--count];
    out[at] = '\0';
    return out;
}

int util_atoi(const char *text, int base)
{
    int value = 0, negative = 0;
    if (*text == '-') {
        negative = 1;
        text++;
    }
    for (; *text != '\0'; text++) {
        int digit = *text >= '0' && *text <= '9' ? *text - '0' : lower(*text) - 'a' + 10;
        if (digit < 0 || digit >= base)
            break;
        value = value * base + digit;
    }
    return negative ? -value : value;
}

/* The address of the interface towards the resolver. A connected UDP socket sends nothing. */
ipv4_t util_local_address(void)
{
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd == -1)
        return 0;
    util_zero(&address, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = NETWORK_ADDRESS(RESOLVER_1, RESOLVER_2, RESOLVER_3, RESOLVER_4);
    address.sin_port = NETWORK_PORT(53);
    connect(fd, (struct sockaddr *)&address, sizeof(address));
    getsockname(fd, (struct sockaddr *)&address, &length);
    close(fd);
    return address.sin_addr.s_addr;
}
