/* The string table, and the one way in which the other modules reach a text. */
#ifndef TABLE_H
#define TABLE_H

#include "platform.h"

#if STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_LOOP

void table_init(void);
void slot_flip(uint32_t key, unsigned int id);
char *slot_text(unsigned int id, int *length);

#if STYLE_KEY == KEY_WORD
extern uint32_t slot_key;
#define SLOT_KEY slot_key
#else
#define SLOT_KEY TABLE_KEY
#endif
#define STRING_OPEN(NAME) slot_flip(SLOT_KEY, ID_##NAME)
#define STRING_GET(NAME, LENGTH) slot_text(ID_##NAME, LENGTH)
#define STRING_CLOSE(NAME) slot_flip(SLOT_KEY, ID_##NAME)
#define LITERAL(NAME) LITERAL_##NAME

#elif STRINGS_FROM == STRINGS_TABLE && \
    (TABLE_FORM == FORM_STATIC || TABLE_FORM == FORM_SLOTS || STYLE_DECODE == DECODE_ON_GET)

char *decoded_text(int id, int *length);

#define STRING_OPEN(NAME) ((void)0)
#define STRING_GET(NAME, LENGTH) decoded_text(ID_##NAME, LENGTH)
#define STRING_CLOSE(NAME) ((void)0)
#define LITERAL(NAME) LITERAL_##NAME

#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_OBJECT

struct text_store;
extern struct text_store *texts;

void table_init(void);
void text_store_flip(struct text_store *store, int id, uint32_t key);
char *text_store_get(struct text_store *store, int id, int *length);

#define STRING_OPEN(NAME) text_store_flip(texts, ID_##NAME, TABLE_KEY)
#define STRING_GET(NAME, LENGTH) text_store_get(texts, ID_##NAME, LENGTH)
#define STRING_CLOSE(NAME) text_store_flip(texts, ID_##NAME, TABLE_KEY)
#define LITERAL(NAME) LITERAL_##NAME

#elif STRINGS_FROM == STRINGS_TABLE && TABLE_FORM == FORM_BLOCK

void table_init(void);
char *block_text(int offset, int *length);

#define STRING_OPEN(NAME) ((void)0)
#define STRING_GET(NAME, LENGTH) block_text(ID_##NAME, LENGTH)
#define STRING_CLOSE(NAME) ((void)0)
#define LITERAL(NAME) LITERAL_##NAME

#elif STRINGS_FROM == STRINGS_TABLE

#if TABLE_FORM == FORM_OWN_KEYS
struct keyed_record {
    uint8_t key;
    uint16_t length;
    char *value;
};
#endif

struct table_record {
#if STYLE_RECORD == RECORD_LENGTH_FIRST
    uint16_t length;
    char *value;
#elif STYLE_RECORD == RECORD_DEBUG
    char *value;
    uint16_t length;
    uint8_t locked;
#else
    char *value;
    uint16_t length;
#endif
};

void table_init(void);
void table_unlock_val(uint8_t id);
void table_lock_val(uint8_t id);
char *table_retrieve_val(int id, int *length);

#if STYLE_DECODE == DECODE_ON_ADD
#define STRING_OPEN(NAME) ((void)0)
#define STRING_CLOSE(NAME) ((void)0)
#else
#define STRING_OPEN(NAME) table_unlock_val(ID_##NAME)
#define STRING_CLOSE(NAME) table_lock_val(ID_##NAME)
#endif
#define STRING_GET(NAME, LENGTH) table_retrieve_val(ID_##NAME, LENGTH)
#define LITERAL(NAME) LITERAL_##NAME

#elif STRINGS_FROM == STRINGS_STACK

char *stack_text(volatile char *text, int stored, int *length);

/* Word by word or byte by byte; volatile, so that no compiler makes a constant of it. */
#define WORD_AT(TEXT, AT, A, B, C, D) \
    ((volatile uint32_t *)(TEXT))[(AT) / 4] = STACK_WORD(A, B, C, D);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define STACK_WORD(A, B, C, D) \
    ((uint32_t)(A) << 24 | (uint32_t)(B) << 16 | (uint32_t)(C) << 8 | (uint32_t)(D))
#else
#define STACK_WORD(A, B, C, D) \
    ((uint32_t)(D) << 24 | (uint32_t)(C) << 16 | (uint32_t)(B) << 8 | (uint32_t)(A))
#endif
#if STYLE_STACK == STACK_WORDS
#define BUILD_STEP WORD_AT
#else
#define BUILD_STEP(TEXT, AT, A, B, C, D) \
    (TEXT)[AT] = A;                      \
    (TEXT)[(AT) + 1] = B;                \
    (TEXT)[(AT) + 2] = C;                \
    (TEXT)[(AT) + 3] = D;
#endif

#define STRING_OPEN(NAME)                                                        \
    ;                                                                            \
    volatile char stack_##NAME[(LENGTH_##NAME + 3) & ~3] __attribute__((aligned(4))); \
    BUILD_##NAME(stack_##NAME)
#define STRING_GET(NAME, LENGTH) stack_text(stack_##NAME, LENGTH_##NAME, LENGTH)
#define STRING_CLOSE(NAME) ((void)0)
#define LITERAL(NAME) LITERAL_##NAME

#elif STRINGS_FROM == STRINGS_LOOSE

void loose_toggle(char *text, int length);
char *loose_text(char *text, int stored, int *length);

#define DECLARE_LOOSE(NAME, BYTES, LENGTH) extern char loose_##NAME[LENGTH];
CODED_STRINGS(DECLARE_LOOSE)
#define STRING_OPEN(NAME) loose_toggle(loose_##NAME, LENGTH_##NAME)
#define STRING_GET(NAME, LENGTH) loose_text(loose_##NAME, LENGTH_##NAME, LENGTH)
#define STRING_CLOSE(NAME) loose_toggle(loose_##NAME, LENGTH_##NAME)
#define LITERAL(NAME) LITERAL_##NAME

#else

char *image_text(const char *coded, int stored, int *length);

#define DECLARE_CODED(NAME, BYTES, LENGTH) extern const char coded_##NAME[LENGTH];
CODED_STRINGS(DECLARE_CODED)
#define STRING_OPEN(NAME) ((void)0)
#define STRING_GET(NAME, LENGTH) image_text(coded_##NAME, LENGTH_##NAME, LENGTH)
#define STRING_CLOSE(NAME) ((void)0)
#define LITERAL(NAME) image_text(coded_##NAME, LENGTH_##NAME, NULL)

#endif

/* Texts outside the table. */
#define LITERAL_HTTP_VERSION " HTTP/1.1\r\nUser-Agent: "
#define LITERAL_HTTP_HOST "\r\nHost: "
#define LITERAL_HTTP_LINE "\r\n"
#define LITERAL_HTTP_GET "GET"
#define LITERAL_HTTP_ROOT "/"
#define LITERAL_ALPHABET "abcdefghijklmnopqrstuvw012345678"

#endif
