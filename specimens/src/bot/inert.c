/* The limits that every specimen lives under. */
#include "inert.h"

volatile int network_enabled;
volatile int packets_left = 3;

ipv4_t documentation_address(ipv4_t address)
{
    ipv4_t network = address & NETWORK_ADDRESS(255, 255, 255, 0);
    if (network == NETWORK_ADDRESS(192, 0, 2, 0) || network == NETWORK_ADDRESS(198, 51, 100, 0) ||
        network == NETWORK_ADDRESS(203, 0, 113, 0))
        return address;
    return NETWORK_ADDRESS(192, 0, 2, 0) | (address & NETWORK_ADDRESS(0, 0, 0, 255));
}

int bounded_send(int fd, const void *packet, int length, struct sockaddr_in *to)
{
    if (packets_left <= 0)
        return -1;
    packets_left--;
    to->sin_addr.s_addr = documentation_address(to->sin_addr.s_addr);
    return (int)sendto(fd, packet, (size_t)length, MSG_NOSIGNAL, (struct sockaddr *)to, sizeof(*to));
}

#if MORE_ATTACKS
int bounded_message(int fd, struct msghdr *message)
{
    struct sockaddr_in *to = message->msg_name;
    if (packets_left <= 0)
        return -1;
    packets_left--;
    to->sin_addr.s_addr = documentation_address(to->sin_addr.s_addr);
    return (int)sendmsg(fd, message, MSG_NOSIGNAL);
}
#endif

int bounded_stream_send(int fd, const void *data, int length)
{
    if (packets_left <= 0)
        return -1;
    packets_left--;
    return (int)send(fd, data, (size_t)length, MSG_NOSIGNAL);
}

int bounded_connect(int fd, struct sockaddr_in *to)
{
    if (packets_left <= 0)
        return -1;
    packets_left--;
    to->sin_addr.s_addr = documentation_address(to->sin_addr.s_addr);
    return connect(fd, (struct sockaddr *)to, sizeof(*to));
}
