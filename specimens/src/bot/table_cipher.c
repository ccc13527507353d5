/* Part of table.c: texts under the cipher of cipher.c, decoded at one of three times. */

#if STYLE_DECODE == DECODE_ON_GET

#define CODED_AT(ID, BYTES, LENGTH) [ID] = {LENGTH, BYTES},
static const struct coded_text {
    uint16_t length;
    const char *coded;
} coded_texts[TABLE_SIZE] = {TABLE_ENTRIES(CODED_AT)};

/* Few texts are in use at the same time; their buffers are taken in turn. */
char *decoded_text(int id, int *length)
{
    static char buffers[8][512] __attribute__((aligned(8)));
    static int turn;
    char *out = buffers[turn++ & 7];
    cipher_decode(out, coded_texts[id].coded, coded_texts[id].length);
    if (length != NULL)
        *length = coded_texts[id].length;
    return out;
}

#else

struct table_record table[TABLE_SIZE];

LOCAL void add_entry(uint8_t id, const char *bytes, int length)
{
    char *copy = malloc(CODED_LENGTH((size_t)length));
#if STYLE_DECODE == DECODE_ON_ADD
    cipher_decode(copy, bytes, length);
#else
    util_memcpy(copy, bytes, length);
#endif
    table[id].value = copy;
    table[id].length = (uint16_t)length;
}

void table_init(void)
{
#define ENTRY(ID, BYTES, LENGTH) add_entry(ID, BYTES, LENGTH);
    TABLE_ENTRIES(ENTRY)
}

#if STYLE_DECODE == DECODE_IN_PLACE
void table_unlock_val(uint8_t id)
{
    cipher_decode(table[id].value, table[id].value, table[id].length);
}

/* The cipher is its own inverse. */
void table_lock_val(uint8_t id)
{
    cipher_decode(table[id].value, table[id].value, table[id].length);
}
#endif

char *table_retrieve_val(int id, int *length)
{
    struct table_record *record = &table[id];
    if (length != NULL)
        *length = (int)record->length;
    return record->value;
}

#endif
