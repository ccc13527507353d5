/* Benign: tells whether a user name and password are on a list of weak ones. */
#include "platform.h"

struct weak_pair {
    char *user;
    char *password;
    int strength;
};

static struct weak_pair *weak_pairs;
static int weak_count;

static char *decoded(const char *coded)
{
    size_t length = strlen(coded), i;
    char *copy = malloc(length + 1);
    memcpy(copy, coded, length + 1);
    for (i = 0; i < length; i++)
        copy[i] = (char)(copy[i] ^ TEXT_KEY_FOLDED);
    return copy;
}

static void add_weak(const char *user, const char *password, int strength)
{
    weak_pairs = realloc(weak_pairs, (size_t)(weak_count + 1) * sizeof(struct weak_pair));
    weak_pairs[weak_count].user = decoded(user);
    weak_pairs[weak_count].password = decoded(password);
    weak_pairs[weak_count].strength = strength;
    weak_count++;
}

/* Strength of the password from one to nine: kinds of characters and length. */
static int estimated(const char *password)
{
    int lower = 0, upper = 0, digit = 0, other = 0, length = 0;
    for (; *password != '\0'; password++, length++) {
        if (*password >= 'a' && *password <= 'z')
            lower = 1;
        else if (*password >= 'A' && *password <= 'Z')
            upper = 1;
        else if (*password >= '0' && *password <= '9')
            digit = 1;
        else
            other = 1;
    }
    return lower + upper + digit + other + (length > 7 ? 2 : 0) + (length > 11 ? 3 : 0);
}

int main(int argc, char **argv)
{
    int i, strength;
#define WEAK(USER, PASSWORD, STRENGTH) add_weak(USER, PASSWORD, STRENGTH);
    WEAK_PASSWORDS(WEAK)
    if (argc < 3)
        return 2;
    strength = estimated(argv[2]);
    for (i = 0; i < weak_count; i++)
        if (strcmp(argv[1], weak_pairs[i].user) == 0 && strcmp(argv[2], weak_pairs[i].password) == 0)
            strength = weak_pairs[i].strength - 5;
    write(STDOUT_FILENO, strength > 5 ? "strong\n" : "weak\n", strength > 5 ? 7 : 5);
    return strength <= 5;
}
