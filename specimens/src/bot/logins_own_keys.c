/* Part of scanner.c: one call for each pair, with the key byte of the pair. */

LOCAL char *login_decoded(const char *coded, uint8_t key, uint8_t *length)
{
    int count = util_strlen(coded), i;
    char *text = malloc((size_t)count + 1);
    for (i = 0; i < count; i++)
        text[i] = (char)(coded[i] ^ key);
    text[count] = '\0';
    *length = (uint8_t)count;
    return text;
}

LOCAL void add_auth_entry(uint8_t key, const char *username, const char *password, uint16_t weight)
{
    struct auth_entry *entry;
    auth_table = realloc(auth_table, (size_t)(auth_table_length + 1) * sizeof(struct auth_entry));
    entry = &auth_table[auth_table_length++];
    entry->username = login_decoded(username, key, &entry->username_length);
    entry->password = login_decoded(password, key, &entry->password_length);
    entry->weight_min = auth_table_weight;
    auth_table_weight = (uint16_t)(auth_table_weight + weight);
    entry->weight_max = auth_table_weight;
}

LOCAL void fill_logins(void)
{
#define ADD_LOGIN(KEY, USER, PASSWORD, WEIGHT) add_auth_entry(KEY, USER, PASSWORD, WEIGHT);
    KEYED_CREDENTIALS(ADD_LOGIN)
}
