/* A shared object of our own, inert: functions, texts and data, enough of them to be worth packing. */

char state[3000] = "state";
static const unsigned short steps[1024] = {3, 5, 7};
static const char *const names[] = {"first", "second", "third", "fourth"};

/* Runs when the object is loaded: what a packer puts its stub before. */
void begin(void) { state[5] = steps[1]; }

#define FUNCTION(NUMBER)                                                        \
    int function_##NUMBER(int value) {                                          \
        const char *text = "text of function " #NUMBER;                         \
        const char *name = names[value & 3];                                    \
        while (*text && *name) value = value * NUMBER + *text++ + steps[*name++ & 1023]; \
        return value + state[value & 1023];                                     \
    }
#define FUNCTIONS(TENS)                                                         \
    FUNCTION(TENS##1) FUNCTION(TENS##2) FUNCTION(TENS##3) FUNCTION(TENS##4)     \
    FUNCTION(TENS##5) FUNCTION(TENS##6) FUNCTION(TENS##7) FUNCTION(TENS##8)
FUNCTIONS(1) FUNCTIONS(2) FUNCTIONS(3) FUNCTIONS(4)
