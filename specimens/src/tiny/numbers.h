/* System call numbers per target (arch/<target>/include/uapi/asm/unistd.h of Linux). */
#ifndef TINY_NUMBERS_H
#define TINY_NUMBERS_H

#if defined(__x86_64__)

#define NR_READ 0
#define NR_WRITE 1
#define NR_OPEN 2
#define NR_CLOSE 3
#define NR_BRK 12
#define NR_RT_SIGACTION 13
#define NR_IOCTL 16
#define NR_SELECT 23
#define NR_NANOSLEEP 35
#define NR_GETPID 39
#define NR_SOCKET 41
#define NR_CONNECT 42
#define NR_ACCEPT 43
#define NR_SENDTO 44
#define NR_SENDMSG 46
#define NR_RECVFROM 45
#define NR_BIND 49
#define NR_LISTEN 50
#define NR_GETSOCKNAME 51
#define NR_SETSOCKOPT 54
#define NR_FORK 57
#define NR_EXIT 60
#define NR_KILL 62
#define NR_FCNTL 72
#define NR_CHDIR 80
#define NR_READLINK 89
#define NR_GETTIMEOFDAY 96
#define NR_GETPPID 110
#define NR_SETSID 112

#elif defined(__aarch64__) || defined(__riscv)

#define NR_FCNTL 25
#define NR_IOCTL 29
#define NR_CHDIR 49
#define NR_OPENAT 56
#define NR_CLOSE 57
#define NR_READ 63
#define NR_WRITE 64
#define NR_PSELECT6 72
#define NR_READLINKAT 78
#define NR_EXIT 93
#define NR_NANOSLEEP 101
#define NR_KILL 129
#define NR_RT_SIGACTION 134
#define NR_SETSID 157
#define NR_GETTIMEOFDAY 169
#define NR_GETPID 172
#define NR_GETPPID 173
#define NR_SOCKET 198
#define NR_BIND 200
#define NR_LISTEN 201
#define NR_ACCEPT 202
#define NR_CONNECT 203
#define NR_GETSOCKNAME 204
#define NR_SENDTO 206
#define NR_SENDMSG 211
#define NR_RECVFROM 207
#define NR_SETSOCKOPT 208
#define NR_BRK 214
#define NR_CLONE 220

#elif defined(__mips__)

#define NR_EXIT 4001
#define NR_FORK 4002
#define NR_READ 4003
#define NR_WRITE 4004
#define NR_OPEN 4005
#define NR_CLOSE 4006
#define NR_CHDIR 4012
#define NR_GETPID 4020
#define NR_KILL 4037
#define NR_BRK 4045
#define NR_IOCTL 4054
#define NR_FCNTL 4055
#define NR_GETPPID 4064
#define NR_SETSID 4066
#define NR_GETTIMEOFDAY 4078
#define NR_READLINK 4085
#define NR_SELECT 4142
#define NR_NANOSLEEP 4166
#define NR_ACCEPT 4168
#define NR_BIND 4169
#define NR_CONNECT 4170
#define NR_GETSOCKNAME 4172
#define NR_LISTEN 4174
#define NR_RECVFROM 4176
#define NR_SENDTO 4180
#define NR_SENDMSG 4179
#define NR_SETSOCKOPT 4181
#define NR_SOCKET 4183
#define NR_RT_SIGACTION 4194

#elif defined(__sparc__)

#define NR_EXIT 1
#define NR_READ 3
#define NR_WRITE 4
#define NR_OPEN 5
#define NR_CLOSE 6
#define NR_CHDIR 12
#define NR_BRK 17
#define NR_GETPID 20
#define NR_KILL 37
#define NR_IOCTL 54
#define NR_READLINK 58
#define NR_GETPPID 64
#define NR_FCNTL 92
#define NR_RT_SIGACTION 102
#define NR_GETTIMEOFDAY 116
#define NR_SETSID 175
#define NR_SOCKETCALL 206
#define NR_SELECT 230
#define NR_NANOSLEEP 249

#else /* i386, ARM, PowerPC, SuperH and m68k share most numbers */

#define NR_EXIT 1
#define NR_FORK 2
#define NR_READ 3
#define NR_WRITE 4
#define NR_OPEN 5
#define NR_CLOSE 6
#define NR_CHDIR 12
#define NR_GETPID 20
#define NR_KILL 37
#define NR_BRK 45
#define NR_IOCTL 54
#define NR_FCNTL 55
#define NR_GETPPID 64
#define NR_SETSID 66
#define NR_GETTIMEOFDAY 78
#define NR_READLINK 85
#define NR_SELECT 142
#define NR_NANOSLEEP 162

#if defined(__powerpc__)
#define NR_RT_SIGACTION 173
#else
#define NR_RT_SIGACTION 174
#endif

#if defined(__arm__)
#define NR_SOCKET 281
#define NR_BIND 282
#define NR_CONNECT 283
#define NR_LISTEN 284
#define NR_ACCEPT 285
#define NR_GETSOCKNAME 286
#define NR_SENDTO 290
#define NR_SENDMSG 296
#define NR_RECVFROM 292
#define NR_SETSOCKOPT 294
#else
#define NR_SOCKETCALL 102
#endif

#endif

#endif
