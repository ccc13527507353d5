/* Part of scanner.c: credentials as one block: weight, length, coded user, length, coded password. */

static const uint8_t packed_logins[] = {PACKED_LOGINS 0};

LOCAL const uint8_t *unpack_text(const uint8_t *at, char **text, uint8_t *length)
{
    int i, count = *at++;
    *text = malloc((size_t)count + 1);
    for (i = 0; i < count; i++)
        (*text)[i] = (char)(*at++ ^ CREDENTIAL_KEY_FOLDED);
    (*text)[count] = '\0';
    *length = (uint8_t)count;
    return at;
}

LOCAL void fill_logins(void)
{
    const uint8_t *at = packed_logins;
    while (*at != 0) {
        struct auth_entry *entry;
        auth_table =
            realloc(auth_table, (size_t)(auth_table_length + 1) * sizeof(struct auth_entry));
        entry = &auth_table[auth_table_length++];
        entry->weight_min = auth_table_weight;
        auth_table_weight = (uint16_t)(auth_table_weight + *at++);
        entry->weight_max = auth_table_weight;
        at = unpack_text(at, &entry->username, &entry->username_length);
        at = unpack_text(at, &entry->password, &entry->password_length);
    }
}
