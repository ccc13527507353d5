/* Part of scanner.c: one routine call for each pair, both texts built on the stack before it. */

LOCAL void add_auth_entry(const char *username, const char *password, uint16_t weight)
{
    struct auth_entry *entry;
    auth_table = realloc(auth_table, (size_t)(auth_table_length + 1) * sizeof(struct auth_entry));
    entry = &auth_table[auth_table_length++];
    entry->username_length = (uint8_t)util_strlen(username);
    entry->password_length = (uint8_t)util_strlen(password);
    entry->username = malloc((size_t)entry->username_length + 1);
    entry->password = malloc((size_t)entry->password_length + 1);
    util_strcpy(entry->username, username);
    util_strcpy(entry->password, password);
    entry->weight_min = auth_table_weight;
    auth_table_weight = (uint16_t)(auth_table_weight + weight);
    entry->weight_max = auth_table_weight;
}

LOCAL void fill_logins(void)
{
    volatile char user[32] __attribute__((aligned(4)));
    volatile char password[32] __attribute__((aligned(4)));
#define ADD_LOGIN(BUILD_USER, BUILD_PASSWORD, WEIGHT) \
    BUILD_USER(user);                                 \
    BUILD_PASSWORD(password);                         \
    add_auth_entry((const char *)user, (const char *)password, WEIGHT);
    STACK_CREDENTIALS(ADD_LOGIN)
}
