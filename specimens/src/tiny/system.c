/* Start-up and system call wrappers of the tiny C library. */
#include "tiny.h"
#include "numbers.h"

long tiny_syscall(long number, long a, long b, long c, long d, long e, long f);
int main(int argc, char **argv);

/* Kernel side of sigaction: the order of the fields differs per target. */
struct kernel_sigaction {
#if defined(__mips__)
    unsigned long flags;
    void (*handler)(int);
    unsigned long mask[4];
#else
    void (*handler)(int);
    unsigned long flags;
#if !defined(__riscv)
    void (*restorer)(void);
#endif
    unsigned long mask[64 / (8 * sizeof(unsigned long))];
#endif
};

static long checked(long result)
{
    return result < 0 && result > -4096 ? -1 : result;
}

#define CALL(NUMBER, A, B, C, D, E, F) \
    checked(tiny_syscall((NUMBER), (long)(A), (long)(B), (long)(C), (long)(D), (long)(E), (long)(F)))

void tiny_start(long *stack) __attribute__((noreturn, used));
void tiny_start(long *stack)
{
    exit(main((int)stack[0], (char **)(stack + 1)));
}

void exit(int status)
{
    for (;;)
        CALL(NR_EXIT, status, 0, 0, 0, 0, 0);
}

pid_t fork(void)
{
#if defined(__sparc__)
    extern long tiny_fork(void);
    return (pid_t)tiny_fork();
#elif defined(NR_FORK)
    return (pid_t)CALL(NR_FORK, 0, 0, 0, 0, 0, 0);
#else
    return (pid_t)CALL(NR_CLONE, SIGCHLD, 0, 0, 0, 0, 0);
#endif
}

pid_t getpid(void) { return (pid_t)CALL(NR_GETPID, 0, 0, 0, 0, 0, 0); }
pid_t getppid(void) { return (pid_t)CALL(NR_GETPPID, 0, 0, 0, 0, 0, 0); }
pid_t setsid(void) { return (pid_t)CALL(NR_SETSID, 0, 0, 0, 0, 0, 0); }

int raise(int signal_number) { return (int)CALL(NR_KILL, getpid(), signal_number, 0, 0, 0, 0); }

void (*signal(int signal_number, void (*handler)(int)))(int)
{
    struct kernel_sigaction action;
    memset(&action, 0, sizeof(action));
    action.handler = handler;
    action.flags = 0x10000000; /* SA_RESTART */
#if defined(__x86_64__) || defined(__i386__)
    extern void tiny_signal_return(void);
    action.flags |= 0x04000000; /* SA_RESTORER */
    action.restorer = tiny_signal_return;
#endif
#if defined(__sparc__)
    extern void tiny_signal_return(void);
    action.flags = 2; /* SA_RESTART of SPARC */
    /* The kernel returns to eight bytes behind the address that it is given. */
    CALL(NR_RT_SIGACTION, signal_number, &action, 0, (long)tiny_signal_return - 8, 8, 0);
#else
    CALL(NR_RT_SIGACTION, signal_number, &action, 0, sizeof(action.mask), 0, 0);
#endif
    return handler;
}

time_t time(time_t *out)
{
    struct timeval now = {0, 0};
    CALL(NR_GETTIMEOFDAY, &now, 0, 0, 0, 0, 0);
    if (out != NULL)
        *out = now.tv_sec;
    return now.tv_sec;
}

unsigned int sleep(unsigned int seconds)
{
    long span[2];
    span[0] = (long)seconds;
    span[1] = 0;
    CALL(NR_NANOSLEEP, span, 0, 0, 0, 0, 0);
    return 0;
}

int open(const char *path, int flags, ...)
{
#if defined(NR_OPEN)
    return (int)CALL(NR_OPEN, path, flags, 0, 0, 0, 0);
#else
    return (int)CALL(NR_OPENAT, -100, path, flags, 0, 0, 0);
#endif
}

ssize_t readlink(const char *path, char *buffer, size_t count)
{
#if defined(NR_READLINK)
    return CALL(NR_READLINK, path, buffer, count, 0, 0, 0);
#else
    return CALL(NR_READLINKAT, -100, path, buffer, count, 0, 0);
#endif
}

int close(int fd) { return (int)CALL(NR_CLOSE, fd, 0, 0, 0, 0, 0); }
int chdir(const char *path) { return (int)CALL(NR_CHDIR, path, 0, 0, 0, 0, 0); }

ssize_t read(int fd, void *buffer, size_t count)
{
    return CALL(NR_READ, fd, buffer, count, 0, 0, 0);
}

ssize_t write(int fd, const void *buffer, size_t count)
{
    return CALL(NR_WRITE, fd, buffer, count, 0, 0, 0);
}

int fcntl(int fd, int command, ...)
{
    __builtin_va_list rest;
    long argument;
    __builtin_va_start(rest, command);
    argument = __builtin_va_arg(rest, int);
    __builtin_va_end(rest);
    return (int)CALL(NR_FCNTL, fd, command, argument, 0, 0, 0);
}

int ioctl(int fd, unsigned long request, ...)
{
    __builtin_va_list rest;
    void *argument;
    __builtin_va_start(rest, request);
    argument = __builtin_va_arg(rest, void *);
    __builtin_va_end(rest);
    return (int)CALL(NR_IOCTL, fd, request, argument, 0, 0, 0);
}

int select(int limit, fd_set *readable, fd_set *writable, fd_set *failed, struct timeval *timeout)
{
#if defined(NR_SELECT)
    return (int)CALL(NR_SELECT, limit, readable, writable, failed, timeout, 0);
#else
    long span[2];
    span[0] = timeout->tv_sec;
    span[1] = timeout->tv_usec * 1000;
    return (int)CALL(NR_PSELECT6, limit, readable, writable, failed, span, 0);
#endif
}
