/* Name look-up: an A query over UDP to one fixed server. */
#include "resolver.h"

#include "inert.h"
#include "packet.h"
#include "util.h"

void resolver_domain_to_hostname(char *out, const char *domain)
{
    char *label_length = out++;
    int count = 0;
    for (;; domain++) {
        if (*domain == '.' || *domain == '\0') {
            *label_length = (char)count;
            count = 0;
            label_length = out++;
            if (*domain == '\0')
                break;
        } else {
            *out++ = *domain;
            count++;
        }
    }
    *label_length = '\0';
}

/* Offset behind the name that starts at `at`. */
static int skip_name(const uint8_t *packet, int at, int length)
{
    while (at < length && packet[at] != 0) {
        if (packet[at] >= 0xc0)
            return at + 2;
        at += packet[at] + 1;
    }
    return at + 1;
}

static void collect_addresses(struct resolved *entries, const uint8_t *packet, int length)
{
    struct dns_header header;
    struct dns_resource resource;
    int at, answers;
    memcpy(&header, packet, sizeof(header));
    answers = ntohs(header.answers);
    at = skip_name(packet, sizeof(header), length) + (int)sizeof(struct dns_question);
    while (answers-- > 0) {
        at = skip_name(packet, at, length);
        if (at + (int)sizeof(resource) + 4 > length)
            return;
        memcpy(&resource, packet + at, sizeof(resource));
        at += (int)sizeof(resource);
        if (resource.type == htons(1) && resource.class == htons(1) && resource.length == htons(4)) {
            ipv4_t *address;
            entries->addresses =
                realloc(entries->addresses, (entries->count + 1u) * sizeof(ipv4_t));
            address = &entries->addresses[entries->count++];
            memcpy(address, packet + at, 4);
        }
        at += ntohs(resource.length);
    }
}

struct resolved *resolver_lookup(const char *domain)
{
    struct resolved *entries = calloc(1, sizeof(struct resolved));
    uint8_t query[512], response[512];
    struct dns_header *header = (struct dns_header *)query;
    char *name = (char *)(header + 1);
    struct dns_question question;
    struct sockaddr_in server;
    uint16_t query_id = (uint16_t)rand_next();
    int length, tries;

    util_zero(query, sizeof(query));
    resolver_domain_to_hostname(name, domain);
    length = (int)sizeof(struct dns_header) + util_strlen(name) + 1;
    question.type = htons(1);
    question.class = htons(1);
    memcpy(query + length, &question, sizeof(question));
    length += (int)sizeof(question);
    header->id = query_id;
    header->flags = htons(0x0100);
    header->questions = htons(1);

    util_zero(&server, sizeof(server));
    server.sin_family = AF_INET;
    server.sin_addr.s_addr = NETWORK_ADDRESS(RESOLVER_1, RESOLVER_2, RESOLVER_3, RESOLVER_4);
    server.sin_port = NETWORK_PORT(53);

    for (tries = 0; tries < 5; tries++) {
        struct timeval wait;
        fd_set readable;
        int received, fd = socket(AF_INET, SOCK_DGRAM, 0);
        if (fd == -1)
            break;
        if (bounded_send(fd, query, length, &server) == -1) {
            close(fd);
            break;
        }
        FD_ZERO(&readable);
        FD_SET(fd, &readable);
        wait.tv_sec = 5;
        wait.tv_usec = 0;
        if (select(fd + 1, &readable, NULL, NULL, &wait) < 1) {
            close(fd);
            continue;
        }
        received = (int)recvfrom(fd, response, sizeof(response), MSG_NOSIGNAL, NULL, NULL);
        close(fd);
        if (received > length && ((struct dns_header *)response)->id == query_id) {
            collect_addresses(entries, response, received);
            break;
        }
    }
    if (entries->count == 0) {
        resolved_free(entries);
        return NULL;
    }
    return entries;
}

void resolved_free(struct resolved *entries)
{
    if (entries == NULL)
        return;
    free(entries->addresses);
    free(entries);
}
