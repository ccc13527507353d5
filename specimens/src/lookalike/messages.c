/* Benign: the messages of a heating controller, coded as the family codes its table. */
#include "platform.h"

struct message {
    char *text;
    uint16_t length;
};

uint32_t message_key = TEXT_KEY;
static struct message messages[64];

static void add_message(uint8_t id, const char *coded, int length)
{
    char *copy = malloc((size_t)length);
    memcpy(copy, coded, (size_t)length);
    messages[id].text = copy;
    messages[id].length = (uint16_t)length;
}

static void messages_init(void)
{
#define ADD(ID, BYTES, LENGTH) add_message(ID, BYTES, LENGTH);
    MESSAGES(ADD)
}

static void toggle(struct message *message)
{
    int i;
    for (i = 0; i < message->length; i++) {
        message->text[i] ^= message_key & 0xff;
        message->text[i] ^= (message_key >> 8) & 0xff;
        message->text[i] ^= (message_key >> 16) & 0xff;
        message->text[i] ^= (message_key >> 24) & 0xff;
    }
}

static void show(uint8_t id)
{
    struct message *message = &messages[id];
    if (message->text == NULL)
        return;
    toggle(message);
    write(STDOUT_FILENO, message->text, (size_t)message->length - 1);
    write(STDOUT_FILENO, "\n", 1);
    toggle(message);
}

/* A regulator with hysteresis: which message follows from set point and measurement. */
static uint8_t regulate(int set_point, int measured, int *heating)
{
    int difference = set_point - measured;
    if (measured < 5)
        return 3;
    if (*heating && difference < -5) {
        *heating = 0;
        return 1;
    }
    if (!*heating && difference > 5) {
        *heating = 1;
        return 2;
    }
    return (uint8_t)(4 + (difference < 0 ? 1 : 0));
}

int main(int argc, char **argv)
{
    int heating = 0, hour, measured = 180;
    (void)argv;
    messages_init();
    for (hour = 0; hour < 24; hour++) {
        int set_point = hour < 6 || hour > 21 ? 160 : 205;
        show(regulate(set_point, measured, &heating));
        measured += heating ? 12 : -7;
    }
    return argc > 9;
}
