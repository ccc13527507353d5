/* Part of table.c: every text under a key byte of its own, which stands beside it. */

struct keyed_record table[TABLE_SIZE];

LOCAL void add_entry(uint8_t id, uint8_t key, const char *bytes, int length)
{
    struct keyed_record *record = &table[id];
    record->value = malloc((size_t)length);
    util_memcpy(record->value, bytes, length);
    record->length = (uint16_t)length;
    record->key = key;
}

void table_init(void)
{
#define ENTRY(ID, KEY, BYTES, LENGTH) add_entry(ID, KEY, BYTES, LENGTH);
    KEYED_ENTRIES(ENTRY)
}

LOCAL void toggle_value(uint8_t id)
{
    struct keyed_record *record = &table[id];
    int i;
    for (i = 0; i < record->length; i++)
        record->value[i] = (char)(record->value[i] ^ record->key);
}

void table_unlock_val(uint8_t id) { toggle_value(id); }

void table_lock_val(uint8_t id) { toggle_value(id); }

char *table_retrieve_val(int id, int *length)
{
    if (length != NULL)
        *length = (int)table[id].length;
    return table[id].value;
}
