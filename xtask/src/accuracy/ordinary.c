/* An ordinary program: everyday library calls, callbacks, tables of functions, a switch. */
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct shape {
    const char *name;
    double (*area)(double, double);
};

static double rectangle(double a, double b) { return a * b; }
static double triangle(double a, double b) { return a * b / 2; }
static double ellipse(double a, double b) { return 3.14159265 * a * b; }

static const struct shape shapes[] = {
    {"rectangle", rectangle},
    {"triangle", triangle},
    {"ellipse", ellipse},
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) { interrupted = number; }

static void say_goodbye(void) { puts("goodbye"); }

static int by_length(const void *a, const void *b)
{
    size_t left = strlen(*(char *const *)a), right = strlen(*(char *const *)b);
    return left < right ? -1 : left > right;
}

static const char *kind_of(int c)
{
    switch (c) {
    case 'a': case 'e': case 'i': case 'o': case 'u': return "vowel";
    case ' ': return "space";
    case '\n': return "end";
    case '0': return "zero";
    case '1': return "one";
    case '2': return "two";
    default: return isalpha(c) ? "consonant" : "other";
    }
}

int main(int argc, char **argv)
{
    char line[256], copy[256];
    unsigned i;
    long sum = 0;
    FILE *file;
    time_t now = time(NULL);
    if (signal(SIGINT, on_interrupt) == SIG_ERR)
        perror("signal");
    atexit(say_goodbye);
    qsort(argv, (size_t)argc, sizeof(char *), by_length);
    for (i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        printf("%s %.3f\n", shapes[i].name, shapes[i].area(i + 1.5, 2.25));
    file = argc > 1 ? fopen(argv[1], "r") : stdin;
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        exit(2);
    }
    while (fgets(line, sizeof(line), file) != NULL && !interrupted) {
        char *end, *word = strtok(line, " \t");
        for (; word != NULL; word = strtok(NULL, " \t")) {
            sum += strtol(word, &end, 0);
            snprintf(copy, sizeof(copy), "%-8s|%5ld|%s", word, sum, kind_of(word[0]));
            puts(copy);
        }
    }
    fclose(file);
    if (getenv("VERBOSE") != NULL && strftime(line, sizeof(line), "%Y-%m-%d", gmtime(&now)) > 0)
        printf("%s %d\n", line, (int)getpid());
    return sum == 42 ? 1 : 0;
}
