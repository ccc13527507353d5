/* Part of scanner.c: one call for each pair, under the cipher of cipher.c. */

LOCAL char *login_decoded(const char *coded, int length)
{
    char *text = malloc(CODED_LENGTH((size_t)length) + 1);
    cipher_decode(text, coded, length);
    text[length] = '\0';
    return text;
}

LOCAL void add_auth_entry(const char *username, int username_length, const char *password,
                          int password_length, uint16_t weight)
{
    struct auth_entry *entry;
    auth_table = realloc(auth_table, (size_t)(auth_table_length + 1) * sizeof(struct auth_entry));
    entry = &auth_table[auth_table_length++];
    entry->username = login_decoded(username, username_length);
    entry->username_length = (uint8_t)username_length;
    entry->password = login_decoded(password, password_length);
    entry->password_length = (uint8_t)password_length;
    entry->weight_min = auth_table_weight;
    auth_table_weight = (uint16_t)(auth_table_weight + weight);
    entry->weight_max = auth_table_weight;
}

LOCAL void fill_logins(void)
{
#define ADD_LOGIN(USER, USER_LENGTH, PASSWORD, PASSWORD_LENGTH, WEIGHT) \
    add_auth_entry(USER, USER_LENGTH, PASSWORD, PASSWORD_LENGTH, WEIGHT);
    SIZED_CREDENTIALS(ADD_LOGIN)
}
