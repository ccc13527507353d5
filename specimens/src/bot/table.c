/* The string table: filled once, each value coded except while it is used. */
#include "table.h"
#include "util.h"

#if STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_LOOP
#include "table_loop.c"
#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_STATIC
#include "table_static.c"
#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_OBJECT
#include "table_object.c"
#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_CIPHER
#include "cipher.h"
#include "table_cipher.c"
#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_OWN_KEYS
#include "table_own_keys.c"
#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_BLOCK
#include "cipher.h"
#include "table_block.c"
#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_SLOTS
#include "cipher.h"
#include "table_slots.c"
#elif STRINGS_FROM == STRINGS_TABLE

#if STYLE_KEY == KEY_WORD
uint32_t table_key = TABLE_KEY;
#elif STYLE_KEY == KEY_BYTES
uint8_t table_key_bytes[4] = {TABLE_KEY & 0xff, TABLE_KEY >> 8 & 0xff, TABLE_KEY >> 16 & 0xff,
                              TABLE_KEY >> 24};
#endif

struct table_record table[TABLE_SIZE];

#if STYLE_COPY == COPY_OWN
#define TABLE_COPY util_memcpy
#else
#define TABLE_COPY memcpy
#endif

#if STYLE_ADD_ENTRY == ADD_MACRO
#define add_entry(ID, BYTES, LENGTH)              \
    do {                                          \
        char *copy = malloc(LENGTH);              \
        TABLE_COPY(copy, BYTES, LENGTH);          \
        table[ID].value = copy;                   \
        table[ID].length = (uint16_t)(LENGTH);    \
        TABLE_MARK_LOCKED(ID);                    \
    } while (0)
#endif

#if STYLE_RECORD == RECORD_DEBUG
#define TABLE_MARK_LOCKED(ID) table[ID].locked = 1
#else
#define TABLE_MARK_LOCKED(ID) ((void)0)
#endif

#if STYLE_ADD_ENTRY == ADD_FUNCTION
LOCAL void add_entry(uint8_t id, const char *bytes, int length)
{
    char *copy = malloc((size_t)length);
    TABLE_COPY(copy, bytes, length);
    table[id].value = copy;
    table[id].length = (uint16_t)length;
    TABLE_MARK_LOCKED(id);
}
#endif

void table_init(void)
{
#define ENTRY(ID, BYTES, LENGTH) add_entry(ID, BYTES, LENGTH);
    TABLE_ENTRIES(ENTRY)
}

LOCAL void toggle_value(uint8_t id)
{
    struct table_record *record = &table[id];
    int i;
#if STYLE_KEY == KEY_WORD
    uint8_t k1 = table_key & 0xff, k2 = (table_key >> 8) & 0xff;
    uint8_t k3 = (table_key >> 16) & 0xff, k4 = (table_key >> 24) & 0xff;
    for (i = 0; i < record->length; i++) {
        record->value[i] ^= k1;
        record->value[i] ^= k2;
        record->value[i] ^= k3;
        record->value[i] ^= k4;
    }
#elif STYLE_KEY == KEY_BYTES
    for (i = 0; i < record->length; i++) {
        int k;
        for (k = 0; k < 4; k++)
            record->value[i] ^= table_key_bytes[k];
    }
#else
    for (i = record->length; i > 0; i--)
        record->value[i - 1] = (char)(record->value[i - 1] ^ TABLE_KEY_FOLDED);
#endif
}

void table_unlock_val(uint8_t id)
{
#if STYLE_RECORD == RECORD_DEBUG
    if (!table[id].locked) {
        write(STDOUT_FILENO, "[table] unlocked twice\n", 23);
        return;
    }
    table[id].locked = 0;
#endif
    toggle_value(id);
}

void table_lock_val(uint8_t id)
{
#if STYLE_RECORD == RECORD_DEBUG
    if (table[id].locked) {
        write(STDOUT_FILENO, "[table] locked twice\n", 21);
        return;
    }
    table[id].locked = 1;
#endif
    toggle_value(id);
}

char *table_retrieve_val(int id, int *length)
{
    struct table_record *record = &table[id];
#if STYLE_RECORD == RECORD_DEBUG
    if (record->locked) {
        write(STDOUT_FILENO, "[table] read while locked\n", 26);
        return NULL;
    }
#endif
    if (length != NULL)
        *length = (int)record->length;
    return record->value;
}

#elif STRINGS_FROM == STRINGS_LOOSE

#define DEFINE_LOOSE(NAME, BYTES, LENGTH) char loose_##NAME[LENGTH] = BYTES;
CODED_STRINGS(DEFINE_LOOSE)

void loose_toggle(char *text, int length)
{
    while (length-- > 0)
        *text++ ^= TABLE_KEY_FOLDED;
}

char *loose_text(char *text, int stored, int *length)
{
    if (length != NULL)
        *length = stored;
    return text;
}

#elif STRINGS_FROM == STRINGS_STACK

char *stack_text(volatile char *text, int stored, int *length)
{
    if (length != NULL)
        *length = stored;
    return (char *)text;
}

#else

#define DEFINE_CODED(NAME, BYTES, LENGTH) const char coded_##NAME[LENGTH] = BYTES;
CODED_STRINGS(DEFINE_CODED)

/* Texts in use at the same time are few; their buffers are taken in turn. */
char *image_text(const char *coded, int stored, int *length)
{
    static char scratch[64][512];
    static int turn;
    char *out = scratch[turn++ & 63];
    int i;
    for (i = 0; i < stored; i++)
        out[i] = (char)(coded[i] ^ TABLE_KEY_FOLDED);
    if (length != NULL)
        *length = stored;
    return out;
}

#endif
