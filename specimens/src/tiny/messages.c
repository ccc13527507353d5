/* sendmsg: a file of its own, which only those programs are linked with that use it. */
#include "tiny.h"
#include "numbers.h"

long tiny_syscall(long number, long a, long b, long c, long d, long e, long f);

#define OP_SENDMSG 16 /* second argument of socketcall, from include/uapi/linux/net.h */

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    long result;
#if defined(NR_SOCKETCALL)
    volatile long arguments[3];
    arguments[0] = fd;
    arguments[1] = (long)message;
    arguments[2] = flags;
    result = tiny_syscall(NR_SOCKETCALL, OP_SENDMSG, (long)arguments, 0, 0, 0, 0);
#else
    result = tiny_syscall(NR_SENDMSG, fd, (long)message, flags, 0, 0, 0);
#endif
    return result < 0 && result > -4096 ? -1 : result;
}
