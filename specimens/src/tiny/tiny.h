/* The part of a C library that the specimens need, with each target's own constants. */
#ifndef TINY_H
#define TINY_H

#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int pid_t;
typedef unsigned int socklen_t;
typedef uint32_t in_addr_t;
typedef uint16_t in_port_t;
typedef unsigned short sa_family_t;
typedef long time_t;

#define AF_INET 2
#define AF_INET6 10
#if defined(__mips__)
#define SOCK_DGRAM 1
#define SOCK_STREAM 2
#else
#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#endif
#define SOCK_RAW 3
#define IPPROTO_IP 0
#define IPPROTO_ICMP 1
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_GRE 47
#define IP_HDRINCL 3
#define INADDR_ANY 0u
#define MSG_NOSIGNAL 0x4000
#define F_GETFL 3
#define F_SETFL 4
#define O_RDONLY 0
#define O_RDWR 2
#if defined(__mips__)
#define O_NONBLOCK 0x80
#define SOL_SOCKET 0xffff
#define SO_REUSEADDR 4
#define SIGCHLD 18
#elif defined(__sparc__)
#define O_NONBLOCK 0x4000
#define SOL_SOCKET 0xffff
#define SO_REUSEADDR 4
#define SIGCHLD 20
#else
#define O_NONBLOCK 0x800
#define SOL_SOCKET 1
#define SO_REUSEADDR 2
#define SIGCHLD 17
#endif
#define SIGINT 2
#define SIGTRAP 5
#define SIG_IGN ((void (*)(int))1)
#define STDOUT_FILENO 1

struct in_addr { in_addr_t s_addr; };
struct in6_addr { uint8_t s6_addr[16]; };
struct sockaddr { sa_family_t sa_family; char sa_data[14]; };
struct sockaddr_in {
    sa_family_t sin_family;
    in_port_t sin_port;
    struct in_addr sin_addr;
    unsigned char sin_zero[8];
};
struct sockaddr_in6 {
    sa_family_t sin6_family;
    in_port_t sin6_port;
    uint32_t sin6_flowinfo;
    struct in6_addr sin6_addr;
    uint32_t sin6_scope_id;
};
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name;
    socklen_t msg_namelen;
    struct iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;
    size_t msg_controllen;
    int msg_flags;
};
struct timeval { long tv_sec; long tv_usec; };
typedef struct { unsigned long bits[1024 / (8 * sizeof(unsigned long))]; } fd_set;
#define FD_BITS ((int)(8 * sizeof(unsigned long)))
#define FD_ZERO(SET) memset((SET), 0, sizeof(fd_set))
#define FD_SET(FD, SET) ((SET)->bits[(FD) / FD_BITS] |= 1ul << ((FD) % FD_BITS))
#define FD_ISSET(FD, SET) (((SET)->bits[(FD) / FD_BITS] >> ((FD) % FD_BITS)) & 1)

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *block, size_t size);
void free(void *block);
void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);
size_t strlen(const char *text);
int strcmp(const char *left, const char *right);
int atoi(const char *text);
in_addr_t inet_addr(const char *dotted);
int inet_pton(int family, const char *text, void *address);

void exit(int status) __attribute__((noreturn));
pid_t fork(void);
pid_t getpid(void);
pid_t getppid(void);
pid_t setsid(void);
int raise(int signal_number);
void (*signal(int signal_number, void (*handler)(int)))(int);
time_t time(time_t *out);
unsigned int sleep(unsigned int seconds);
int open(const char *path, int flags, ...);
int close(int fd);
ssize_t read(int fd, void *buffer, size_t count);
ssize_t write(int fd, const void *buffer, size_t count);
ssize_t readlink(const char *path, char *buffer, size_t count);
int chdir(const char *path);
int fcntl(int fd, int command, ...);
int ioctl(int fd, unsigned long request, ...);
int socket(int family, int type, int protocol);
int bind(int fd, const struct sockaddr *address, socklen_t length);
int listen(int fd, int backlog);
int accept(int fd, struct sockaddr *address, socklen_t *length);
int connect(int fd, const struct sockaddr *address, socklen_t length);
int getsockname(int fd, struct sockaddr *address, socklen_t *length);
int setsockopt(int fd, int level, int option, const void *value, socklen_t length);
ssize_t send(int fd, const void *buffer, size_t count, int flags);
ssize_t recv(int fd, void *buffer, size_t count, int flags);
ssize_t sendto(int fd, const void *buffer, size_t count, int flags, const struct sockaddr *address,
               socklen_t length);
ssize_t sendmsg(int fd, const struct msghdr *message, int flags);
ssize_t recvfrom(int fd, void *buffer, size_t count, int flags, struct sockaddr *address,
                 socklen_t *length);
int select(int limit, fd_set *readable, fd_set *writable, fd_set *failed, struct timeval *timeout);

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define htons(VALUE) ((uint16_t)(VALUE))
#define htonl(VALUE) ((uint32_t)(VALUE))
#else
#define htons(VALUE) __builtin_bswap16((uint16_t)(VALUE))
#define htonl(VALUE) __builtin_bswap32((uint32_t)(VALUE))
#endif
#define ntohs htons
#define ntohl htonl

#endif
