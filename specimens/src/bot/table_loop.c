/* Part of table.c: constant records behind an array of pointers, copied into slots by a loop. */

struct coded_record {
    uint16_t length;
    uint8_t id;
    const char *coded;
};

struct slot {
    uint16_t length;
    uint8_t is_open;
    char *text;
};

#if STYLE_KEY == KEY_WORD
uint32_t slot_key = TABLE_KEY;
#endif

#define RECORD(ID, BYTES, LENGTH) static const struct coded_record record_##ID = {LENGTH, ID, BYTES};
TABLE_ENTRIES(RECORD)

#define RECORD_ADDRESS(ID, BYTES, LENGTH) &record_##ID,
static const struct coded_record *const coded_records[] = {TABLE_ENTRIES(RECORD_ADDRESS)};

struct slot slots[TABLE_SIZE];

void table_init(void)
{
    unsigned int i;
    for (i = 0; i < sizeof(coded_records) / sizeof(coded_records[0]); i++) {
        const struct coded_record *record = coded_records[i];
        struct slot *slot = &slots[record->id];
        slot->length = record->length;
        slot->is_open = 0;
        slot->text = malloc(record->length);
        memcpy(slot->text, record->coded, record->length);
    }
}

void slot_flip(uint32_t key, unsigned int id)
{
    struct slot *slot = &slots[id];
    uint8_t folded = (uint8_t)(key ^ key >> 8 ^ key >> 16 ^ key >> 24);
    unsigned int i;
    for (i = 0; i < slot->length; i++)
        slot->text[i] = (char)(slot->text[i] ^ folded);
    slot->is_open = !slot->is_open;
}

char *slot_text(unsigned int id, int *length)
{
    if (length != NULL)
        *length = slots[id].length;
    return slots[id].text;
}
