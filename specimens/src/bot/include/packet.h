/* Headers on the wire; multi-byte fields in network order. */
#ifndef PACKET_H
#define PACKET_H

#include "platform.h"

#define PACKED __attribute__((packed))

struct ip_header {
    uint8_t version_length;
    uint8_t tos;
    uint16_t total;
    uint16_t id;
    uint16_t fragment;
    uint8_t ttl;
    uint8_t protocol;
    uint16_t checksum;
    uint32_t source;
    uint32_t destination;
} PACKED;

struct udp_header {
    uint16_t source;
    uint16_t destination;
    uint16_t length;
    uint16_t checksum;
} PACKED;

struct tcp_header {
    uint16_t source;
    uint16_t destination;
    uint32_t sequence;
    uint32_t acknowledgement;
    uint8_t offset;
    uint8_t flags;
    uint16_t window;
    uint16_t checksum;
    uint16_t urgent;
} PACKED;

#define TCP_FIN 0x01
#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_PSH 0x08
#define TCP_ACK 0x10
#define TCP_URG 0x20

struct icmp_header {
    uint8_t type;
    uint8_t code;
    uint16_t checksum;
    uint16_t id;
    uint16_t sequence;
} PACKED;

struct gre_header {
    uint16_t flags;
    uint16_t protocol;
} PACKED;

struct ethernet_header {
    uint8_t destination[6];
    uint8_t source[6];
    uint16_t type;
} PACKED;

struct dns_header {
    uint16_t id;
    uint16_t flags;
    uint16_t questions;
    uint16_t answers;
    uint16_t authorities;
    uint16_t additional;
} PACKED;

struct dns_question {
    uint16_t type;
    uint16_t class;
} PACKED;

struct dns_resource {
    uint16_t type;
    uint16_t class;
    uint32_t ttl;
    uint16_t length;
} PACKED;

#endif
