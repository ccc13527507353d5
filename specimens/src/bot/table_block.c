/* Part of table.c: one coded block, decoded as a whole; a text is asked for by its offset. */

char text_block[BLOCK_LENGTH] __attribute__((aligned(4))) = BLOCK_BYTES;

void table_init(void)
{
    cipher_decode(text_block, text_block, BLOCK_LENGTH);
}

/* Not inlined, so that the offset stays an argument. */
__attribute__((noinline)) char *block_text(int offset, int *length)
{
    char *text = text_block + offset;
    if (length != NULL)
        *length = util_strlen(text) + 1;
    return text;
}
