/* Part of table.c: texts as digits in slots of one size, decoded by the slot's number into a buffer. */

#define SLOT_AT(ID, BYTES, LENGTH) [ID] = BYTES,
static const char coded_slots[TABLE_SIZE][SLOT_LENGTH] = {TABLE_ENTRIES(SLOT_AT)};

char *decoded_text(int id, int *length)
{
    static char buffers[8][SLOT_LENGTH / 2] __attribute__((aligned(8)));
    static int turn;
    char *out = buffers[turn++ & 7];
    int count = util_strlen(coded_slots[id]) / 2;
    cipher_decode(out, coded_slots[id], count);
    out[count] = '\0';
    if (length != NULL)
        *length = count + 1;
    return out;
}
