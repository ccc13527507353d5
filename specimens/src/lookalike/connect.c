/* Benign: reports a measurement to a weather station at a constant address. */
#include "inert.h"

static int fill_report(char *out, int tenths)
{
    static const char start[] = "PUT /measurement?tenths=";
    static const char end[] = " HTTP/1.0\r\n\r\n";
    int length = (int)sizeof(start) - 1;
    memcpy(out, start, sizeof(start) - 1);
    if (tenths < 0) {
        out[length++] = '-';
        tenths = -tenths;
    }
    out[length++] = (char)('0' + tenths / 100 % 10);
    out[length++] = (char)('0' + tenths / 10 % 10);
    out[length++] = (char)('0' + tenths % 10);
    memcpy(out + length, end, sizeof(end) - 1);
    return length + (int)sizeof(end) - 1;
}

static int report(int tenths)
{
    struct sockaddr_in station;
    char request[96];
    int length = fill_report(request, tenths);
    int sent, fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd == -1)
        return 1;
    memset(&station, 0, sizeof(station));
    station.sin_family = AF_INET;
    station.sin_addr.s_addr = NETWORK_ADDRESS(STATION_1, STATION_2, STATION_3, STATION_4);
    station.sin_port = NETWORK_PORT(STATION_PORT);
    if (bounded_connect(fd, &station) == -1) {
        close(fd);
        return 1;
    }
    sent = bounded_stream_send(fd, request, length);
    close(fd);
    return sent != length;
}

/* Median of the last samples, which drops single wrong ones. */
static int median(int *samples, int count)
{
    int i, k;
    for (i = 1; i < count; i++) {
        int value = samples[i];
        for (k = i; k > 0 && samples[k - 1] > value; k--)
            samples[k] = samples[k - 1];
        samples[k] = value;
    }
    return samples[count / 2];
}

int main(int argc, char **argv)
{
    int samples[5], i;
    (void)argv;
    for (i = 0; i < 5; i++)
        samples[i] = 200 + (argc * 37 + i * 11) % 23;
    i = median(samples, 5);
    write(STDOUT_FILENO, "measured\n", 9);
    /* Never true: see inert.h. */
    if (!network_enabled)
        return 0;
    return report(i);
}
