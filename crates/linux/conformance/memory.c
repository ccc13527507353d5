/* Memory: byte order, alignment, structures, lists and tables. */
#include "conformance.h"
#ifdef TINY_LIBC
#include "tiny.h"
#else
#include <string.h>
#endif

CASE(byte_order_of_memory)
{
    u8 bytes[8];
    memcpy(bytes, in, 8);
    out[0] = bytes[0];
    out[1] = bytes[3];
    out[2] = (u32)bytes[4] << 24 | (u32)bytes[5] << 16 | (u32)bytes[6] << 8 | bytes[7];
    out[3] = (u32)bytes[4] | (u32)bytes[5] << 8 | (u32)bytes[6] << 16 | (u32)bytes[7] << 24;
    out[4] = ((const u16 *)(const void *)(in + 2))[0];
    out[5] = ((const u16 *)(const void *)(in + 2))[1];
    out[6] = (u32)((const s8 *)(const void *)(in + 3))[1];
    out[7] = (u32)((const s16 *)(const void *)(in + 4))[1];
}

CASE(swap_bytes)
{
    u64 wide = get64(in + 2);
    out[0] = __builtin_bswap32(in[0]);
    out[1] = __builtin_bswap16((u16)in[1]);
    put64(out + 2, __builtin_bswap64(wide));
    out[4] = in[4] << 24 | (in[4] & 0xff00) << 8 | (in[4] >> 8 & 0xff00) | in[4] >> 24;
    out[5] = (in[5] & 0xff) << 8 | (in[5] >> 8 & 0xff);
    out[6] = (in[6] & 0xff00ff00u) >> 8 | (in[6] & 0x00ff00ffu) << 8;
    out[7] = in[7] << 16 | in[7] >> 16;
}

CASE(unaligned_access)
{
    u8 bytes[40];
    u32 offset = in[0] & 7, word32;
    u64 word64;
    u16 word16;
    memcpy(bytes, in, 40);
    memcpy(&word16, bytes + 1 + offset, 2);
    memcpy(&word32, bytes + 3 + offset, 4);
    memcpy(&word64, bytes + 5 + offset, 8);
    out[0] = word16;
    out[1] = word32;
    put64(out + 2, word64);
    word32 ^= 0x01020304;
    word64 += 0x1122334455667788ull;
    memcpy(bytes + 9 + offset, &word32, 4);
    memcpy(bytes + 17 + offset, &word64, 8);
    out[4] = digest(bytes, sizeof bytes);
}

struct __attribute__((packed)) packed {
    u8 a;
    u32 b;
    u16 c;
    u64 d;
    s16 e;
};

CASE(packed_structure)
{
    struct packed records[3];
    int index;
    for (index = 0; index < 3; index++) {
        records[index].a = (u8)in[index];
        records[index].b = in[index + 1];
        records[index].c = (u16)in[index + 2];
        records[index].d = get64(in + index + 3);
        records[index].e = (s16)in[index + 5];
    }
    records[1].b += records[0].c;
    records[2].d -= records[1].b;
    out[0] = sizeof(struct packed);
    out[1] = digest(records, sizeof records);
    out[2] = records[1].b;
    out[3] = (u32)records[2].e;
    put64(out + 4, records[2].d);
}

struct layout {
    u8 a;
    u16 b;
    u8 c;
    u32 d;
    u8 e;
    u64 f;
    void *g;
};

CASE(structure_layout)
{
    out[0] = sizeof(struct layout);
    out[1] = offsetof(struct layout, b) | offsetof(struct layout, c) << 8;
    out[2] = offsetof(struct layout, d) | offsetof(struct layout, e) << 8;
    out[3] = offsetof(struct layout, f) | offsetof(struct layout, g) << 8;
}

struct node {
    struct node *next;
    u32 value;
};

static NOINLINE struct node *reverse(struct node *list)
{
    struct node *reversed = NULL;
    while (list != NULL) {
        struct node *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

CASE(linked_list)
{
    struct node nodes[INPUTS];
    struct node *list = NULL, **link;
    u32 sum = 0;
    int index;
    for (index = 0; index < INPUTS; index++) {
        /* Insertion keeps the list sorted. */
        nodes[index].value = in[index];
        for (link = &list; *link != NULL && (*link)->value < in[index]; link = &(*link)->next)
            ;
        nodes[index].next = *link;
        *link = &nodes[index];
    }
    list = reverse(list);
    for (index = 0; list != NULL; list = list->next, index++) {
        sum = sum * 7 + list->value;
        if (index < 7)
            out[index] = list->value;
    }
    out[7] = sum;
}

CASE(matrix_product)
{
    s32 a[4][5], b[5][3], c[4][3];
    int row, column, inner;
    for (row = 0; row < 4; row++)
        for (inner = 0; inner < 5; inner++)
            a[row][inner] = (s16)in[(row * 5 + inner) % INPUTS];
    for (inner = 0; inner < 5; inner++)
        for (column = 0; column < 3; column++)
            b[inner][column] = (s8)(in[inner + column] >> column);
    for (row = 0; row < 4; row++)
        for (column = 0; column < 3; column++) {
            c[row][column] = 0;
            for (inner = 0; inner < 5; inner++)
                c[row][column] += a[row][inner] * b[inner][column];
        }
    for (row = 0; row < 4; row++)
        out[row] = (u32)(c[row][0] ^ c[row][1] << 5 ^ c[row][2] >> 3);
    out[4] = digest(c, sizeof c);
}

static u32 global_words[8] = {1, 2, 3, 5, 7, 11, 13, 17};
static u8 zeroed[64];
static const char *const names[] = {"alpha", "beta", "gamma", "delta"};

CASE(global_data)
{
    int index;
    for (index = 0; index < 8; index++)
        out[index] = global_words[in[index] & 7] * in[index + 1];
    for (index = 0; index < 64; index++)
        zeroed[index] = (u8)(in[index % INPUTS] >> (index & 15));
    out[0] ^= digest(zeroed, sizeof zeroed);
    out[1] += (u32)names[in[2] & 3][in[3] & 3];
    memset(zeroed, 0, sizeof zeroed);
}

/* A ring buffer that loses the oldest when it is full. */
CASE(ring_buffer)
{
    u16 ring[16];
    u32 head = 0, tail = 0, lost = 0, sum = 0;
    int index;
    memset(ring, 0, sizeof ring);
    for (index = 0; index < 100; index++) {
        u32 random = in[index % INPUTS] >> (index % 13);
        if (random & 1) {
            ring[head++ & 15] = (u16)random;
            if (head - tail > 16) {
                tail++;
                lost++;
            }
        } else if (head != tail) {
            sum = sum * 3 + ring[tail++ & 15];
        }
    }
    out[0] = head;
    out[1] = tail;
    out[2] = lost;
    out[3] = sum;
}

CASE(hash_table)
{
    struct { u32 key, count; } slots[32];
    u32 probes = 0;
    int index;
    memset(slots, 0, sizeof slots);
    for (index = 0; index < 40; index++) {
        u32 key = (in[index % INPUTS] >> (index / INPUTS)) | 1;
        u32 slot = key * 2654435761u >> 27, tries = 0;
        while (slots[slot].key != 0 && slots[slot].key != key && tries++ < 32)
            slot = (slot + 1) & 31;
        probes += tries;
        if (tries < 32) {
            slots[slot].key = key;
            slots[slot].count++;
        }
    }
    out[0] = probes;
    out[1] = digest(slots, sizeof slots);
}

CASE(binary_search)
{
    u32 sorted[64];
    int index;
    for (index = 0; index < 64; index++)
        sorted[index] = (u32)index * 67108859u;
    for (index = 0; index < 8; index++) {
        u32 low = 0, high = 64;
        while (low < high) {
            u32 middle = low + (high - low) / 2;
            if (sorted[middle] < in[index])
                low = middle + 1;
            else
                high = middle;
        }
        out[index] = low;
    }
}

CASE(pointer_arithmetic)
{
    u32 words[INPUTS];
    const u32 *low = words, *high = words + INPUTS;
    u32 *cursor = words;
    memcpy(words, in, sizeof words);
    out[0] = (u32)(high - low);
    out[1] = (u32)((const u8 *)high - (const u8 *)low);
    while (low < high)
        out[2] += *low++ ^ *--high;
    *cursor++ += 5;
    ++*cursor++;
    cursor[2] = (u32)(cursor - words);
    cursor[-1] ^= cursor[3];
    out[3] = digest(words, sizeof words);
}

/* How the family keeps its strings: allocated by id, decoded byte by byte with a folded key. */
CASE(folded_key_decoding)
{
    static const u8 stored[] = {0x4f, 0x5a, 0x41, 0x4f, 0x52, 0x4e, 0x47, 0x00, 0x0c, 0x4d, 0x50};
    u8 text[sizeof stored];
    size_t index;
    memcpy(text, stored, sizeof stored);
    for (index = 0; index < sizeof text; index++) {
        text[index] ^= (u8)in[0];
        text[index] ^= (u8)(in[0] >> 8);
        text[index] ^= (u8)(in[0] >> 16);
        text[index] ^= (u8)(in[0] >> 24);
    }
    memcpy(out, text, 8);
    out[2] = digest(text, sizeof text);
}

static void sift(u32 *heap, u32 root, u32 count)
{
    while (root * 2 + 1 < count) {
        u32 child = root * 2 + 1, swap;
        if (child + 1 < count && heap[child] < heap[child + 1])
            child++;
        if (heap[root] >= heap[child])
            return;
        swap = heap[root];
        heap[root] = heap[child];
        heap[child] = swap;
        root = child;
    }
}

CASE(heap_sort)
{
    u32 values[48], count;
    int index;
    expand(values, sizeof values, in[0]);
    memcpy(values, in, 8 * sizeof(u32));
    for (index = 23; index >= 0; index--)
        sift(values, (u32)index, 48);
    for (count = 47; count > 0; count--) {
        u32 top = values[0];
        values[0] = values[count];
        values[count] = top;
        sift(values, 0, count);
    }
    for (index = 0; index < 7; index++)
        out[index] = values[index * 7];
    out[7] = digest(values, sizeof values);
}

static void quick(s16 *values, int low, int high)
{
    int left = low, right = high;
    s16 pivot = values[(low + high) / 2];
    while (left <= right) {
        while (values[left] < pivot)
            left++;
        while (values[right] > pivot)
            right--;
        if (left <= right) {
            s16 swap = values[left];
            values[left++] = values[right];
            values[right--] = swap;
        }
    }
    if (low < right)
        quick(values, low, right);
    if (left < high)
        quick(values, left, high);
}

CASE(quick_sort)
{
    s16 values[96];
    expand(values, sizeof values, in[0] ^ in[1]);
    quick(values, 0, 95);
    out[0] = (u32)values[0];
    out[1] = (u32)values[48];
    out[2] = (u32)values[95];
    out[3] = digest(values, sizeof values);
}

static void merge_sort(u64 *values, u64 *spare, u32 count)
{
    u32 half = count / 2, left = 0, right = half, index;
    if (count < 2)
        return;
    merge_sort(values, spare, half);
    merge_sort(values + half, spare, count - half);
    for (index = 0; index < count; index++)
        spare[index] = right >= count || (left < half && values[left] <= values[right])
                           ? values[left++]
                           : values[right++];
    memcpy(values, spare, count * sizeof(u64));
}

CASE(merge_sort_of_wide_values)
{
    u64 values[32], spare[32];
    expand(values, sizeof values, in[2]);
    memcpy(values, in, sizeof(u32) * 8);
    merge_sort(values, spare, 32);
    put64(out, values[0]);
    put64(out + 2, values[16]);
    out[4] = digest(values, sizeof values);
}
