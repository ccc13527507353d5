/* A packer's stub of our own, inert: it makes the program in its payload and starts it.
 *
 * payload.h brings `payload`, `PAYLOAD_SIZE`, `ORIGINAL_SIZE` and `SEED`. With -DINTO_MEMORY the
 * payload is compressed, by LZMA with -DWITH_LZMA, and its segments are mapped; with -DINTO_FILE it is
 * written into a file in memory that takes the stub's place. */

#include "payload.h"

typedef unsigned long word;
typedef unsigned char byte;

enum { PAGE = 4096 };

#if defined(__x86_64__)
enum { MMAP = 9, WRITE = 1, MEMFD_CREATE = 319, EXECVE = 59, EXIT = 60 };
__asm__(".globl _start\n_start: mov %rsp,%rbx\n and $-16,%rsp\n mov %rbx,%rdi\n call unpack\n"
        "mov %rbx,%rsp\n xor %edx,%edx\n jmp *%rax\n");
static word ask(word number, word a, word b, word c, word d, word e, word f) {
    register word r10 __asm__("r10") = d;
    register word r8 __asm__("r8") = e;
    register word r9 __asm__("r9") = f;
    word result;
    __asm__ volatile("syscall" : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}
#elif defined(__aarch64__)
enum { MMAP = 222, WRITE = 64, MEMFD_CREATE = 279, EXECVE = 221, EXIT = 93 };
__asm__(".globl _start\n_start: mov x19,sp\n mov x0,sp\n bl unpack\n mov sp,x19\n mov x1,x0\n"
        "mov x0,#0\n br x1\n");
static word ask(word number, word a, word b, word c, word d, word e, word f) {
    register word x8 __asm__("x8") = number;
    register word x0 __asm__("x0") = a;
    register word x1 __asm__("x1") = b;
    register word x2 __asm__("x2") = c;
    register word x3 __asm__("x3") = d;
    register word x4 __asm__("x4") = e;
    register word x5 __asm__("x5") = f;
    __asm__ volatile("svc 0" : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
    return x0;
}
#elif defined(__arm__)
enum { MMAP = 192, WRITE = 4, MEMFD_CREATE = 385, EXECVE = 11, EXIT = 1 };
__asm__(".globl _start\n_start: mov r8,sp\n mov r0,sp\n bl unpack\n mov sp,r8\n mov r1,r0\n"
        "mov r0,#0\n bx r1\n");
static word ask(word number, word a, word b, word c, word d, word e, word f) {
    register word r7 __asm__("r7") = number;
    register word r0 __asm__("r0") = a;
    register word r1 __asm__("r1") = b;
    register word r2 __asm__("r2") = c;
    register word r3 __asm__("r3") = d;
    register word r4 __asm__("r4") = e;
    register word r5 __asm__("r5") = f;
    __asm__ volatile("svc 0" : "+r"(r0)
                     : "r"(r7), "r"(r1), "r"(r2), "r"(r3), "r"(r4), "r"(r5) : "memory");
    return r0;
}
#elif defined(__mips__)
enum { MMAP = 4090, WRITE = 4004, MEMFD_CREATE = 4354, EXECVE = 4011, EXIT = 4001 };
__asm__(".set push\n.set noreorder\n.globl _start\n_start: move $16,$29\n move $4,$29\n"
        "addiu $29,$29,-32\n jal unpack\n nop\n move $29,$16\n move $25,$2\n move $2,$0\n"
        "jr $25\n nop\n.set pop\n");
static word ask(word number, word a, word b, word c, word d, word e, word f) {
    register word v0 __asm__("$2") = number;
    register word a0 __asm__("$4") = a;
    register word a1 __asm__("$5") = b;
    register word a2 __asm__("$6") = c;
    register word a3 __asm__("$7") = d;
    __asm__ volatile("addiu $29,$29,-32\n sw %5,16($29)\n sw %6,20($29)\n syscall\n"
                     "addiu $29,$29,32"
                     : "+r"(v0), "+r"(a3) : "r"(a0), "r"(a1), "r"(a2), "r"(e), "r"(f)
                     : "$1", "$3", "$8", "$9", "$10", "$11", "$12", "$13", "$14", "$15", "$24",
                       "$25", "hi", "lo", "memory");
    return a3 ? -v0 : v0;
}
#endif

/* The next byte of what the payload is encrypted with (Marsaglia's xorshift). */
static byte next(unsigned *state) {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state >> 24;
}

#ifdef INTO_MEMORY
#if defined(__mips__)
enum { ANONYMOUS = 0x800 };
#else
enum { ANONYMOUS = 0x20 };
#endif
enum { PRIVATE = 2, FIXED = 0x10, ALL_RIGHTS = 7 };

static byte *map(word at, word size) {
    word flags = PRIVATE | ANONYMOUS | (at ? FIXED : 0);
    return (byte *)ask(MMAP, at, size, ALL_RIGHTS, flags, -1ul, 0);
}

typedef struct {
    byte ident[16];
    unsigned short kind, machine;
    unsigned version;
    word entry, table, sections;
    unsigned flags;
    unsigned short size, entry_size, count, section_size, section_count, names;
} header;

typedef struct {
#ifdef __LP64__
    unsigned kind, flags;
    word offset, address, physical, size, memory, alignment;
#else
    unsigned kind;
    word offset, address, physical, size, memory;
    unsigned flags;
    word alignment;
#endif
} segment;

#ifdef WITH_LZMA
/* LZMA as its specification has it (LZMA SDK, lzma-specification.txt), with three bits of the byte before
 * as context of literals and two bits of the place. */
typedef unsigned short chance;

static struct {
    const byte *from;
    unsigned state, range, code;
} coder;

typedef struct {
    chance is_longer, is_longest, low[4][8], middle[4][8], high[256];
} lengths;

static struct {
    chance is_copy[12][4], is_repeat[12], is_older[12], is_long[12][4], is_second[12], is_third[12];
    chance literals[8][0x300], slots[4][64], special[128], align[16];
    lengths copies, repeats;
} chances;

static unsigned input(void) {
    return (byte)(*coder.from++ ^ next(&coder.state));
}

static void shift(void) {
    if (coder.range >> 24) return;
    coder.range <<= 8;
    coder.code = coder.code << 8 | input();
}

static unsigned bit(chance *zero) {
    unsigned bound = (coder.range >> 11) * *zero, is_one = coder.code >= bound;
    if (is_one) {
        coder.range -= bound;
        coder.code -= bound;
        *zero -= *zero >> 5;
    } else {
        coder.range = bound;
        *zero += (2048 - *zero) >> 5;
    }
    shift();
    return is_one;
}

static unsigned plain_bits(unsigned count) {
    unsigned value = 0;
    while (count--) {
        coder.range >>= 1;
        unsigned is_one = coder.code >= coder.range;
        if (is_one) coder.code -= coder.range;
        value = value << 1 | is_one;
        shift();
    }
    return value;
}

static unsigned number(chance *tree, unsigned bits) {
    unsigned node = 1;
    for (unsigned left = bits; left; left--) node = node << 1 | bit(tree + node);
    return node - (1u << bits);
}

static unsigned number_from_below(chance *tree, unsigned bits) {
    unsigned node = 1, value = 0;
    for (unsigned place = 0; place < bits; place++) {
        unsigned is_one = bit(tree + node);
        node = node << 1 | is_one;
        value |= is_one << place;
    }
    return value;
}

static unsigned length(lengths *of, unsigned place) {
    if (!bit(&of->is_longer)) return 2 + number(of->low[place], 3);
    if (!bit(&of->is_longest)) return 10 + number(of->middle[place], 3);
    return 18 + number(of->high, 8);
}

static unsigned distance(unsigned copied) {
    unsigned slot = number(chances.slots[copied < 6 ? copied - 2 : 3], 6);
    if (slot < 4) return slot;
    unsigned bits = (slot >> 1) - 1, high = (2 | (slot & 1)) << bits;
    if (slot < 14) return high + number_from_below(chances.special + high - slot, bits);
    high += plain_bits(bits - 4) << 4;
    return high + number_from_below(chances.align, 4);
}

static byte literal(const byte *end, unsigned is_first, unsigned after_copy, unsigned back) {
    chance *of = chances.literals[is_first ? 0 : end[-1] >> 5];
    unsigned symbol = 1, match = after_copy ? end[-1 - (long)back] : 0, is_same = after_copy;
    while (symbol < 0x100) {
        unsigned expected = match >> 7 & 1;
        match <<= 1;
        unsigned is_one = bit(of + (is_same ? (1 + expected) << 8 : 0) + symbol);
        symbol = symbol << 1 | is_one;
        is_same &= expected == is_one;
    }
    return symbol;
}

static void expand(byte *to) {
    chance *all = (chance *)&chances;
    for (unsigned at = 0; at < sizeof chances / sizeof *all; at++) all[at] = 1024;
    coder.from = payload;
    coder.state = SEED;
    coder.range = -1u;
    for (int count = 0; count < 5; count++) coder.code = coder.code << 8 | input();
    unsigned state = 0, backs[4] = {0, 0, 0, 0};
    for (word done = 0; done < ORIGINAL_SIZE;) {
        unsigned place = done & 3, count;
        if (!bit(&chances.is_copy[state][place])) {
            to[done] = literal(to + done, !done, state >= 7, backs[0]);
            done++;
            state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
            continue;
        }
        if (bit(&chances.is_repeat[state])) {
            unsigned older = bit(&chances.is_older[state]);
            if (!older && !bit(&chances.is_long[state][place])) {
                count = 1;
                state = state < 7 ? 9 : 11;
            } else {
                if (older && bit(&chances.is_second[state])) older = 2 + bit(&chances.is_third[state]);
                unsigned back = backs[older];
                for (; older; older--) backs[older] = backs[older - 1];
                backs[0] = back;
                count = length(&chances.repeats, place);
                state = state < 7 ? 8 : 11;
            }
        } else {
            for (int older = 3; older; older--) backs[older] = backs[older - 1];
            count = length(&chances.copies, place);
            backs[0] = distance(count);
            state = state < 7 ? 7 : 10;
        }
        for (; count; count--, done++) to[done] = to[done - backs[0] - 1];
    }
}
#else
/* A byte below 128 is followed by that many and one more; another one by how far back to copy from,
 * two bytes with the lower first, 125 less than it says. */
static void expand(byte *to) {
    unsigned state = SEED;
    const byte *from = payload;
    byte *end = to + ORIGINAL_SIZE;
    while (to < end) {
        byte control = *from++ ^ next(&state);
        if (control < 128) {
            for (int left = control; left >= 0; left--) *to++ = *from++ ^ next(&state);
        } else {
            word back = *from++ ^ next(&state);
            back |= (word)(*from++ ^ next(&state)) << 8;
            for (int left = control - 125; left > 0; left--, to++) *to = to[-(long)back];
        }
    }
}
#endif

word unpack(word *stack) {
    (void)stack;
    byte *file = map(0, ORIGINAL_SIZE);
    expand(file);
    const header *head = (const header *)file;
    const segment *segments = (const segment *)(file + head->table);
    word low = -1ul, high = 0;
    for (int i = 0; i < head->count; i++) {
        const segment *it = segments + i;
        if (it->kind != 1) continue;
        if (it->address < low) low = it->address;
        if (it->address + it->memory > high) high = it->address + it->memory;
    }
    low &= -(word)PAGE;
    map(low, high - low);
    for (int i = 0; i < head->count; i++) {
        const segment *it = segments + i;
        if (it->kind != 1) continue;
        for (word at = 0; at < it->size; at++) {
            ((byte *)it->address)[at] = file[it->offset + at];
        }
    }
    return head->entry;
}
#endif

#ifdef INTO_FILE
word unpack(word *stack) {
    static byte buffer[PAGE];
    static char path[] = "/proc/self/fd/0";
    unsigned state = SEED;
    word file = ask(MEMFD_CREATE, (word)"", 1, 0, 0, 0, 0);
    for (word done = 0; done < ORIGINAL_SIZE;) {
        word count = 0;
        while (count < PAGE && done < ORIGINAL_SIZE) buffer[count++] = payload[done++] ^ next(&state);
        ask(WRITE, file, (word)buffer, count, 0, 0, 0);
    }
    path[sizeof path - 2] += file;
    ask(EXECVE, (word)path, (word)(stack + 1), (word)(stack + *stack + 2), 0, 0, 0);
    ask(EXIT, 1, 0, 0, 0, 0, 0);
    return 0;
}
#endif
