/* Part of table.c: a store on the heap, reached through one pointer; each group of texts has a routine that adds it. */

struct text_item {
    int length;
    char *bytes;
    int uses;
};

struct text_store {
    int capacity;
    int count;
    struct text_item items[TABLE_SIZE];
};

struct text_store *texts;

LOCAL struct text_store *text_store_new(int capacity)
{
    struct text_store *store = malloc(sizeof(struct text_store));
    util_zero(store, sizeof(struct text_store));
    store->capacity = capacity;
    return store;
}

LOCAL void text_store_add(struct text_store *store, int id, int length, const char *bytes)
{
    struct text_item *item = &store->items[id];
    if (id >= store->capacity)
        return;
    item->bytes = malloc((size_t)length + 1);
    util_memcpy(item->bytes, bytes, length);
    item->bytes[length] = 0;
    item->length = length;
    item->uses = 0;
    store->count++;
}

#define ADD(ID, BYTES, LENGTH) text_store_add(store, ID, LENGTH, BYTES);

static __attribute__((noinline)) void add_first_texts(struct text_store *store)
{
    TABLE_ENTRIES_1(ADD)
}

static __attribute__((noinline)) void add_more_texts(struct text_store *store)
{
    TABLE_ENTRIES_2(ADD)
}

static __attribute__((noinline)) void add_last_texts(struct text_store *store)
{
    TABLE_ENTRIES_3(ADD)
}

void table_init(void)
{
    texts = text_store_new(TABLE_SIZE);
    add_first_texts(texts);
    add_more_texts(texts);
    add_last_texts(texts);
}

void text_store_flip(struct text_store *store, int id, uint32_t key)
{
    struct text_item *item = &store->items[id];
    int i;
    for (i = 0; i < item->length; i++) {
        uint32_t rest;
        for (rest = key; rest != 0; rest >>= 8)
            item->bytes[i] ^= rest & 0xff;
    }
    item->uses++;
}

char *text_store_get(struct text_store *store, int id, int *length)
{
    if (length != NULL)
        *length = store->items[id].length;
    return store->items[id].bytes;
}
