/* Part of scanner.c: a list to which two routines add pairs; weight first, the key is an argument. */

struct login_list {
    int count;
    struct auth_entry entries[LOGIN_COUNT];
};

static struct login_list *logins;

LOCAL char *login_decoded(const char *coded, int count, uint32_t key)
{
    char *text = malloc((size_t)count + 1);
    int i;
    for (i = 0; i < count; i++) {
        text[i] = coded[i];
        text[i] ^= key & 0xff;
        text[i] ^= key >> 8 & 0xff;
        text[i] ^= key >> 16 & 0xff;
        text[i] ^= key >> 24 & 0xff;
    }
    text[count] = '\0';
    return text;
}

LOCAL void login_list_add(struct login_list *list, int weight, const char *username,
                          const char *password, uint32_t key)
{
    struct auth_entry *entry = &list->entries[list->count++];
    entry->username_length = (uint8_t)util_strlen(username);
    entry->password_length = (uint8_t)util_strlen(password);
    entry->username = login_decoded(username, entry->username_length, key);
    entry->password = login_decoded(password, entry->password_length, key);
    entry->weight_min = auth_table_weight;
    auth_table_weight = (uint16_t)(auth_table_weight + weight);
    entry->weight_max = auth_table_weight;
}

#define ADD_LOGIN(USER, PASSWORD, WEIGHT) \
    login_list_add(list, WEIGHT, USER, PASSWORD, CREDENTIAL_KEY);

static __attribute__((noinline)) void add_common_logins(struct login_list *list)
{
    CREDENTIALS_1(ADD_LOGIN)
}

static __attribute__((noinline)) void add_other_logins(struct login_list *list)
{
    CREDENTIALS_2(ADD_LOGIN)
}

LOCAL void fill_logins(void)
{
    logins = calloc(1, sizeof(struct login_list));
    add_common_logins(logins);
    add_other_logins(logins);
    auth_table = logins->entries;
    auth_table_length = logins->count;
}
