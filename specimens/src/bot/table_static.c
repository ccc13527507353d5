/* Part of table.c: constant arrays of pointers and lengths. Nothing fills them; texts are decoded when asked for. */

#define CODED_AT(ID, BYTES, LENGTH) [ID] = BYTES,
static const char *const coded_texts[TABLE_SIZE] = {TABLE_ENTRIES(CODED_AT)};

#define LENGTH_AT(ID, BYTES, LENGTH) [ID] = LENGTH,
static const uint16_t coded_lengths[TABLE_SIZE] = {TABLE_ENTRIES(LENGTH_AT)};

#if STYLE_KEY == KEY_WORD
uint32_t text_key = TABLE_KEY;
#else
#define text_key TABLE_KEY
#endif

/* Few texts are in use at the same time; their buffers are taken in turn. */
char *decoded_text(int id, int *length)
{
    static char buffers[8][512] __attribute__((aligned(8)));
    static int turn;
    char *out = buffers[turn++ & 7];
    const char *coded = coded_texts[id];
    int i, count = coded_lengths[id];
    for (i = 0; i < count; i++) {
        char byte = coded[i];
        byte ^= text_key & 0xff;
        byte ^= (text_key >> 8) & 0xff;
        byte ^= (text_key >> 16) & 0xff;
        byte ^= (text_key >> 24) & 0xff;
        out[i] = byte;
    }
    if (length != NULL)
        *length = count;
    return out;
}
