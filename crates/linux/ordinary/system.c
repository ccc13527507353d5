/*
 * Asks the kernel what ordinary programs ask, with the numbers and structures of its own headers, and
 * prints the answers that any Linux gives: about the file `five` of five bytes, the folder it lies
 * in, descriptors, and what a breakpoint does. Its last line is that of the breakpoint.
 */
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/eventpoll.h>
#include <linux/stat.h>
#include <linux/types.h>

#include "tiny.h"

long tiny_syscall(long number, long a, long b, long c, long d, long e, long f);

#define CALL(NUMBER, A, B, C, D, E, F) \
    tiny_syscall((NUMBER), (long)(A), (long)(B), (long)(C), (long)(D), (long)(E), (long)(F))
#define HERE (-100)
#define FORMAT 0170000

static void say(const char *text)
{
    write(1, text, strlen(text));
}

static void say_number(const char *label, unsigned long value)
{
    char digits[24];
    int at = sizeof(digits) - 1;
    digits[at] = '\0';
    do
        digits[--at] = (char)('0' + (char)(value % 10));
    while ((value /= 10) != 0);
    say(" ");
    say(label);
    say(" ");
    say(digits + at);
}

/* The name of a call, what it returned, and what it told of a file. */
#define SAY_STATUS(NAME, RESULT, STATUS)                                    \
    do {                                                                    \
        say(NAME);                                                          \
        say_number("returned", (unsigned long)-(RESULT));                   \
        say_number("format", (STATUS).st_mode & FORMAT);                    \
        say_number("links", (STATUS).st_nlink);                             \
        say_number("owner", (STATUS).st_uid + (unsigned long)(STATUS).st_gid); \
        say_number("inode", (STATUS).st_ino == inode);                      \
        say_number("size", (unsigned long)(STATUS).st_size);           \
        say_number("block", (unsigned long)(STATUS).st_blksize);       \
        say_number("changed", (STATUS).st_mtime > 1000000000);              \
        say("\n");                                                          \
    } while (0)

static unsigned long long inode;

static void ask_extended(int file)
{
    struct statx status;
    long result;
    memset(&status, 0x55, sizeof(status));
    result = CALL(__NR_statx, HERE, "five", 0, STATX_BASIC_STATS, &status, 0);
    inode = status.stx_ino;
    say("statx");
    say_number("returned", (unsigned long)-result);
    say_number("mask", status.stx_mask & STATX_SIZE);
    say_number("format", status.stx_mode & FORMAT);
    say_number("links", status.stx_nlink);
    say_number("size", (unsigned long)status.stx_size);
    say_number("changed", status.stx_mtime.tv_sec > 1000000000);
    memset(&status, 0x55, sizeof(status));
    result = CALL(__NR_statx, file, "", 0x1000, STATX_BASIC_STATS, &status, 0);
    say_number("itself", (unsigned long)-result);
    say_number("inode", status.stx_ino == inode);
    say("\n");
}

static void ask_status(int file)
{
#ifdef __NR_stat
    {
        struct stat status;
        long result;
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_stat, "five", &status, 0, 0, 0, 0);
        SAY_STATUS("stat", result, status);
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_lstat, "/proc/self/exe", &status, 0, 0, 0, 0);
        say("lstat");
        say_number("returned", (unsigned long)-result);
        say_number("format", status.st_mode & FORMAT);
        say("\n");
    }
#endif
#ifdef __NR_fstat
    {
        struct stat status;
        long result;
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_fstat, file, &status, 0, 0, 0, 0);
        SAY_STATUS("fstat", result, status);
    }
#endif
#ifdef __NR_newfstatat
    {
        struct stat status;
        long result;
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_newfstatat, HERE, "./five", &status, 0, 0, 0);
        SAY_STATUS("newfstatat", result, status);
    }
#endif
#ifdef __NR_stat64
    {
        struct stat64 status;
        long result;
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_stat64, "five", &status, 0, 0, 0, 0);
        SAY_STATUS("stat64", result, status);
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_fstat64, file, &status, 0, 0, 0, 0);
        SAY_STATUS("fstat64", result, status);
        memset(&status, 0x55, sizeof(status));
        result = CALL(__NR_fstatat64, HERE, "five", &status, 0, 0, 0);
        SAY_STATUS("fstatat64", result, status);
        result = CALL(__NR_stat64, "none", &status, 0, 0, 0, 0);
        say_number("none", (unsigned long)-result);
        say("\n");
    }
#endif
}

static int open_here(const char *path, int flags)
{
    return (int)CALL(__NR_openat, HERE, path, flags, 0, 0, 0);
}

/* How many entries a folder has, which of them are known, and of what kind those are. */
static void list(void)
{
    static const char *const known[] = {".", "..", "five"};
    char buffer[1024];
    int folder = open_here(".", 0);
    int found[3] = {0, 0, 0};
    long count, at;
    int total = 0, index;
    while ((count = CALL(__NR_getdents64, folder, buffer, sizeof(buffer), 0, 0, 0)) > 0) {
        for (at = 0; at < count; total++) {
            unsigned short size;
            memcpy(&size, buffer + at + 16, sizeof(size));
            for (index = 0; index < 3; index++)
                if (strcmp(buffer + at + 19, known[index]) == 0)
                    found[index] = buffer[at + 18];
            at += size;
        }
    }
    say("getdents64");
    say_number("end", (unsigned long)-count);
    say_number("entries", (unsigned int)total);
    for (index = 0; index < 3; index++)
        say_number(known[index], (unsigned int)found[index]);
    say("\n");
#ifdef __NR_getdents
    CALL(__NR_lseek, folder, 0, 0, 0, 0, 0);
    total = 0;
    while ((count = CALL(__NR_getdents, folder, buffer, sizeof(buffer), 0, 0, 0)) > 0) {
        for (at = 0; at < count; total++) {
            unsigned short size;
            memcpy(&size, buffer + at + 2 * sizeof(long), sizeof(size));
            for (index = 0; index < 3; index++)
                if (strcmp(buffer + at + 2 * sizeof(long) + 2, known[index]) == 0)
                    found[index] = 100 + buffer[at + size - 1];
            at += size;
        }
    }
    say("getdents");
    say_number("entries", (unsigned int)total);
    for (index = 0; index < 3; index++)
        say_number(known[index], (unsigned int)found[index]);
    say("\n");
#endif
    CALL(__NR_close, folder, 0, 0, 0, 0, 0);
}

static void read_parts(int file)
{
    char first[2], second[8];
    struct iovec parts[2];
    long count;
    int other;
    parts[0].iov_base = first;
    parts[0].iov_len = sizeof(first);
    parts[1].iov_base = second;
    parts[1].iov_len = sizeof(second);
    count = CALL(__NR_readv, file, parts, 2, 0, 0, 0);
    say("readv");
    say_number("bytes", (unsigned long)count);
    say(" ");
    write(1, first, 2);
    say("-");
    write(1, second, 3);
    say("\n");
    other = (int)CALL(__NR_dup, file, 0, 0, 0, 0, 0);
    say("dup");
    say_number("position", (unsigned long)CALL(__NR_lseek, file, -2, 2, 0, 0, 0));
    count = CALL(__NR_read, other, first, sizeof(first), 0, 0, 0);
    say_number("bytes", (unsigned long)count);
    say(" ");
    write(1, first, 2);
    say_number("closed", (unsigned long)-CALL(__NR_close, other, 0, 0, 0, 0, 0));
    say_number("again", (unsigned long)-CALL(__NR_close, other, 0, 0, 0, 0, 0));
    say("\n");
}

static void wait_for_events(void)
{
    struct epoll_event wanted, came[4];
    int set = (int)CALL(__NR_epoll_create1, 0, 0, 0, 0, 0, 0);
    int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
    long count;
    memset(&wanted, 0, sizeof(wanted));
    wanted.events = EPOLLIN | EPOLLOUT;
    wanted.data = 0x1122334455667788ull;
    say("epoll_ctl");
    say_number("added", (unsigned long)-CALL(__NR_epoll_ctl, set, 1, datagrams, &wanted, 0, 0));
    say_number("again", (unsigned long)-CALL(__NR_epoll_ctl, set, 1, datagrams, &wanted, 0, 0));
    say_number("unknown", (unsigned long)-CALL(__NR_epoll_ctl, set, 3, 1, &wanted, 0, 0) != 0);
    count = CALL(__NR_epoll_pwait, set, came, 4, 0, 0, 8);
    say_number("events", (unsigned long)count);
    say_number("writable", (came[0].events & EPOLLOUT) != 0);
    say_number("data", came[0].data == wanted.data);
    wanted.events = EPOLLIN;
    say_number("changed", (unsigned long)-CALL(__NR_epoll_ctl, set, 3, datagrams, &wanted, 0, 0));
    say_number("events", (unsigned long)CALL(__NR_epoll_pwait, set, came, 4, 0, 0, 8));
    say_number("removed", (unsigned long)-CALL(__NR_epoll_ctl, set, 2, datagrams, &wanted, 0, 0));
    say_number("size", sizeof(wanted));
    say("\n");
}

static void move(void)
{
    char path[64];
    say("chdir");
    say_number("none", (unsigned long)-CALL(__NR_chdir, "none", 0, 0, 0, 0, 0));
    say_number("file", (unsigned long)-CALL(__NR_chdir, "five", 0, 0, 0, 0, 0));
    say_number("root", (unsigned long)-CALL(__NR_chdir, "/", 0, 0, 0, 0, 0));
    say_number("getcwd", (unsigned long)CALL(__NR_getcwd, path, sizeof(path), 0, 0, 0, 0));
    say(" ");
    say(path);
    say_number("short", (unsigned long)-CALL(__NR_getcwd, path, 1, 0, 0, 0, 0));
    say("\n");
}

static void trapped(int number)
{
    say("signal");
    say_number("number", (unsigned int)number);
    say("\n");
    exit(7);
}

static void break_here(void)
{
#if defined(__i386__) || defined(__x86_64__)
    __asm__ volatile("int3");
#elif defined(__thumb__)
    __asm__ volatile(".short 0xde01");
#elif defined(__arm__)
    __asm__ volatile(".word 0xe7f001f0");
#elif defined(__aarch64__)
    __asm__ volatile("brk #0");
#elif defined(__mips__)
    __asm__ volatile("break");
#elif defined(__powerpc__)
    __asm__ volatile("trap");
#elif defined(__riscv)
    __asm__ volatile("ebreak");
#elif defined(__m68k__)
    __asm__ volatile("trap #15");
#else
    raise(SIGTRAP);
#endif
}

int main(void)
{
    int file = open_here("five", 0);
    say("open");
    say_number("is", (unsigned int)(file >= 0));
    say_number("none", (unsigned long)-open_here("none", 0));
    say("\n");
    ask_extended(file);
    ask_status(file);
    list();
    read_parts(file);
    wait_for_events();
    move();
    signal(SIGTRAP, trapped);
    break_here();
    return 1;
}
