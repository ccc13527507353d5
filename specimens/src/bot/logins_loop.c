/* Part of scanner.c: credentials as constant records, decoded by a loop; the key is an argument. */

struct login_record {
    uint8_t weight;
    const char *names[2];
};

#define LOGIN_RECORD(USER, PASSWORD, WEIGHT) {WEIGHT, {USER, PASSWORD}},
static const struct login_record login_records[] = {CREDENTIALS(LOGIN_RECORD)};

LOCAL char *login_decoded(uint32_t key, const char *coded, uint8_t *length)
{
    int count = util_strlen(coded), i;
    char *text = malloc((size_t)count + 1);
    for (i = 0; i < count; i++)
        text[i] = (char)(coded[i] ^ key ^ key >> 8 ^ key >> 16 ^ key >> 24);
    text[count] = '\0';
    *length = (uint8_t)count;
    return text;
}

LOCAL void fill_logins(void)
{
    int i;
    auth_table_length = (int)(sizeof(login_records) / sizeof(login_records[0]));
    auth_table = calloc((size_t)auth_table_length, sizeof(struct auth_entry));
    for (i = 0; i < auth_table_length; i++) {
        struct auth_entry *entry = &auth_table[i];
        entry->username =
            login_decoded(CREDENTIAL_KEY, login_records[i].names[0], &entry->username_length);
        entry->password =
            login_decoded(CREDENTIAL_KEY, login_records[i].names[1], &entry->password_length);
        entry->weight_min = auth_table_weight;
        auth_table_weight = (uint16_t)(auth_table_weight + login_records[i].weight);
        entry->weight_max = auth_table_weight;
    }
}
