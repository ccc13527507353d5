/* Socket calls of the tiny C library: system calls of their own, or socketcall where Linux began with it. */
#include "tiny.h"
#include "numbers.h"

long tiny_syscall(long number, long a, long b, long c, long d, long e, long f);

#if defined(NR_SOCKETCALL)
/* Second argument of socketcall, from include/uapi/linux/net.h. */
#define OP_SOCKET 1
#define OP_BIND 2
#define OP_CONNECT 3
#define OP_LISTEN 4
#define OP_ACCEPT 5
#define OP_GETSOCKNAME 6
#define OP_SENDTO 11
#define OP_RECVFROM 12
#define OP_SETSOCKOPT 14

static long socket_call(long operation, long a, long b, long c, long d, long e, long f)
{
    volatile long arguments[6];
    long result;
    arguments[0] = a;
    arguments[1] = b;
    arguments[2] = c;
    arguments[3] = d;
    arguments[4] = e;
    arguments[5] = f;
    result = tiny_syscall(NR_SOCKETCALL, operation, (long)arguments, 0, 0, 0, 0);
    return result < 0 && result > -4096 ? -1 : result;
}
#define SOCKET_CALL(NAME, A, B, C, D, E, F) \
    socket_call(OP_##NAME, (long)(A), (long)(B), (long)(C), (long)(D), (long)(E), (long)(F))
#else
static long socket_call(long number, long a, long b, long c, long d, long e, long f)
{
    long result = tiny_syscall(number, a, b, c, d, e, f);
    return result < 0 && result > -4096 ? -1 : result;
}
#define SOCKET_CALL(NAME, A, B, C, D, E, F) \
    socket_call(NR_##NAME, (long)(A), (long)(B), (long)(C), (long)(D), (long)(E), (long)(F))
#endif

int socket(int family, int type, int protocol)
{
    return (int)SOCKET_CALL(SOCKET, family, type, protocol, 0, 0, 0);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)SOCKET_CALL(BIND, fd, address, length, 0, 0, 0);
}

int listen(int fd, int backlog) { return (int)SOCKET_CALL(LISTEN, fd, backlog, 0, 0, 0, 0); }

int accept(int fd, struct sockaddr *address, socklen_t *length)
{
    return (int)SOCKET_CALL(ACCEPT, fd, address, length, 0, 0, 0);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return (int)SOCKET_CALL(CONNECT, fd, address, length, 0, 0, 0);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
    return (int)SOCKET_CALL(GETSOCKNAME, fd, address, length, 0, 0, 0);
}

int setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
    return (int)SOCKET_CALL(SETSOCKOPT, fd, level, option, value, length, 0);
}

ssize_t sendto(int fd, const void *buffer, size_t count, int flags, const struct sockaddr *address,
               socklen_t length)
{
    return SOCKET_CALL(SENDTO, fd, buffer, count, flags, address, length);
}

ssize_t recvfrom(int fd, void *buffer, size_t count, int flags, struct sockaddr *address,
                 socklen_t *length)
{
    return SOCKET_CALL(RECVFROM, fd, buffer, count, flags, address, length);
}

ssize_t send(int fd, const void *buffer, size_t count, int flags)
{
    return sendto(fd, buffer, count, flags, NULL, 0);
}

ssize_t recv(int fd, void *buffer, size_t count, int flags)
{
    return recvfrom(fd, buffer, count, flags, NULL, NULL);
}
