/* Internet checksums (RFC 1071). */
#include "packet.h"
#include "util.h"

static uint32_t accumulate(const void *data, uint32_t count, uint32_t sum)
{
    const uint8_t *bytes = data;
    while (count > 1) {
        uint16_t word;
        memcpy(&word, bytes, 2);
        sum += word;
        bytes += 2;
        count -= 2;
    }
    if (count > 0) {
        uint8_t last[2];
        uint16_t word;
        last[0] = *bytes;
        last[1] = 0;
        memcpy(&word, last, 2);
        sum += word;
    }
    return sum;
}

static uint16_t folded(uint32_t sum)
{
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    return (uint16_t)~sum;
}

uint16_t checksum_generic(const void *data, uint32_t count)
{
    return folded(accumulate(data, count, 0));
}

uint16_t checksum_transport(const void *ip_header, const void *data, uint16_t network_length, int count)
{
    const struct ip_header *ip = ip_header;
    uint32_t source = ip->source, destination = ip->destination;
    uint32_t sum = accumulate(data, (uint32_t)count, 0);
    sum += (source >> 16) & 0xffff;
    sum += source & 0xffff;
    sum += (destination >> 16) & 0xffff;
    sum += destination & 0xffff;
    sum += htons(ip->protocol);
    sum += network_length;
    return folded(sum);
}
