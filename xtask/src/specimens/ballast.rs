//! Ordinary code beside the program, so that some specimens are as large as real ones.
//!
//! Routines of the kinds that firmware tools have (checksums, encoders, tokenisers, filters,
//! sorting, calendars), each from a template with its own constants. One set for all specimens of a
//! seed: the files differ enough by target and level, and the archive stays small.

use std::fmt::Write as _;

use super::random::Random;

/// Declares the one entry into the ballast.
pub(super) const HEADER: &str = "int ballast_run(int selector);\n";

/// Routines of one set: at -Os on a dense instruction set some 60 KB, at -O0 some 150.
const ROUTINES: usize = 300;

/// A template: the body of `static int name(unsigned char *data, int length)`.
///
/// `A`, `B`, `C` stand for constants of the routine, `CALL` for an earlier routine of the set.
const TEMPLATES: [&str; 10] = [
    // Bitwise cyclic redundancy check.
    "unsigned int crc = $Au; int i, bit;
    for (i = 0; i < length; i++) {
        crc ^= (unsigned int)data[i] << 24;
        for (bit = 0; bit < 8; bit++)
            crc = crc & 0x80000000u ? (crc << 1) ^ $Bu : crc << 1;
    }
    return (int)((crc ^ $Cu) & 0x7fffffff);",
    // Tokeniser with a small state machine.
    "int state = 0, words = 0, numbers = 0, depth = 0, i;
    for (i = 0; i < length; i++) {
        unsigned char c = data[i];
        switch (state) {
        case 0:
            if (c >= '0' && c <= '9') { state = 1; numbers++; }
            else if ((c | 32) >= 'a' && (c | 32) <= 'z') { state = 2; words++; }
            else if (c == '(' || c == '{') depth++;
            else if (c == ')' || c == '}') { if (--depth < 0) return -$SMALL; }
            else if (c == '\"') state = 3;
            break;
        case 1:
            if (c == '.') state = 4;
            else if (c < '0' || c > '9') state = 0;
            break;
        case 2:
            if ((c | 32) < 'a' || (c | 32) > 'z') state = c == '_' ? 2 : 0;
            break;
        case 3:
            if (c == '\"') state = 0;
            else if (c == '\\\\') i++;
            break;
        default:
            if (c < '0' || c > '9') state = 0;
        }
    }
    return words * $SMALL + numbers + depth * 3 + $CALL(data, length / 2);",
    // Fixed-point filter over a window.
    "int history[$WINDOW] = {0}, at = 0, sum = 0, peak = 0, i, k;
    for (i = 0; i < length; i++) {
        history[at] = (int)data[i] * $SMALL;
        at = (at + 1) % $WINDOW;
        sum = 0;
        for (k = 0; k < $WINDOW; k++)
            sum += history[(at + k) % $WINDOW] * (k + 1) / $WINDOW;
        if (sum > peak) peak = sum;
        data[i] = (unsigned char)(sum >> 4);
    }
    return peak - sum;",
    // Insertion sort, then a search by bisection.
    "int i, k, low, high;
    for (i = 1; i < length; i++) {
        unsigned char value = data[i];
        for (k = i; k > 0 && data[k - 1] > value; k--)
            data[k] = data[k - 1];
        data[k] = value;
    }
    low = 0; high = length;
    while (low < high) {
        int middle = (low + high) / 2;
        if (data[middle] < ($A & 0xff)) low = middle + 1; else high = middle;
    }
    return low;",
    // Days since an epoch, and a weekday.
    "int year = 1970 + (length > 0 ? data[0] % 100 : 0), month = 1 + (length > 1 ? data[1] % 12 : 0);
    int day = 1 + (length > 2 ? data[2] % 28 : 0), era, doe, yoe;
    if (month <= 2) year--;
    era = year / 400; yoe = year - era * 400;
    doe = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1 + yoe * 365 + yoe / 4 - yoe / 100;
    if ((doe + $SMALL) % 7 == 3) return $CALL(data, length);
    return era * 146097 + doe - 719468 + ($B & 0xff);",
    // Run-length coding into a second buffer.
    "unsigned char out[256]; int used = 0, i = 0, k;
    while (i < length && used < 250) {
        int run = 1;
        while (i + run < length && data[i + run] == data[i] && run < $SMALL + 3) run++;
        if (run > 2) { out[used++] = (unsigned char)(0x80 | run); out[used++] = data[i]; }
        else for (k = 0; k < run; k++) out[used++] = data[i + k] & 0x7f;
        i += run;
    }
    for (k = 0; k < used && k < length; k++) data[k] = out[k] ^ (unsigned char)($A >> (k & 7));
    return used;",
    // Open hashing of two-byte keys.
    "unsigned short slots[64] = {0}; int i, probes = 0;
    for (i = 0; i + 1 < length; i += 2) {
        unsigned short key = (unsigned short)(data[i] << 8 | data[i + 1]);
        unsigned int slot = (key * $Au >> 16) & 63; int tries = 0;
        while (slots[slot] != 0 && slots[slot] != key && tries++ < 64) { slot = (slot + $SMALL) & 63; probes++; }
        slots[slot] = key;
    }
    return probes + slots[$B & 63];",
    // Base conversion to text and back.
    "char digits[40]; unsigned int value = $Au ^ (unsigned int)length, back = 0; int count = 0, i;
    do { unsigned int d = value % $BASEu; digits[count++] = (char)(d < 10 ? '0' + d : 'a' + d - 10); value /= $BASEu; } while (value);
    for (i = count - 1; i >= 0; i--) { char c = digits[i]; back = back * $BASEu + (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10); }
    for (i = 0; i < count && i < length; i++) data[i] = (unsigned char)digits[count - 1 - i];
    return (int)(back ^ $Cu) & 0xffff;",
    // Scaling of samples by a table with saturation.
    "static const short gains[8] = {$WINDOW, -3, $SMALL, 120, -77, 256, 31, -$SMALL}; int i, clipped = 0;
    for (i = 0; i < length; i++) {
        int value = ((int)data[i] - 128) * gains[i & 7] / 64 + gains[(i + 3) & 7];
        if (value > 127) { value = 127; clipped++; }
        if (value < -128) { value = -128; clipped++; }
        data[i] = (unsigned char)(value + 128);
    }
    return clipped > $SMALL ? $CALL(data, length / 4) : clipped;",
    // Comparison of versions, field by field.
    "int fields[4] = {0}, wanted[4] = {$SMALL, $WINDOW, $A & 15, $B & 31}, at = 0, i;
    for (i = 0; i < length && at < 4; i++) {
        if (data[i] >= '0' && data[i] <= '9') fields[at] = fields[at] * 10 + data[i] - '0';
        else if (data[i] == '.') at++;
        else break;
    }
    for (i = 0; i < 4; i++) {
        if (fields[i] < wanted[i]) return -1 - i;
        if (fields[i] > wanted[i]) return 1 + i;
    }
    return $CALL(data, at) & 1;",
];

/// The C source of the ballast of `seed`.
pub(super) fn source(seed: u64) -> String {
    let mut random = Random::new(seed, "ballast");
    let mut source = String::from("#include \"ballast.h\"\n\n");
    source.push_str("static int routine_0(unsigned char *data, int length) { return length ? data[0] : 0; }\n\n");
    for number in 1..ROUTINES {
        let body = routine_body(&mut random, number);
        // Writing to a String cannot fail.
        let _ = writeln!(
            source,
            "static int routine_{number}(unsigned char *data, int length)\n{{\n    {body}\n}}\n"
        );
    }
    let names: Vec<String> = (0..ROUTINES).map(|number| format!("routine_{number}")).collect();
    let _ = writeln!(
        source,
        "static int (*const routines[{ROUTINES}])(unsigned char *, int) = {{\n    {}\n}};\n",
        names.join(", ")
    );
    source.push_str(
        "int ballast_run(int selector)\n{\n    unsigned char data[48];\n    int i;\n    \
         for (i = 0; i < 48; i++)\n        data[i] = (unsigned char)(selector * 31 + i);\n    \
         return routines[(unsigned int)selector % ",
    );
    let _ = writeln!(source, "{ROUTINES}u](data, 48);\n}}");
    source
}

fn routine_body(random: &mut Random, number: usize) -> String {
    let mut constant = || format!("0x{:x}", random.word() | 1);
    let (a, b, c) = (constant(), constant(), constant());
    let (template, called) = (*random.pick(&TEMPLATES), random.below(number as u32));
    template
        .replace("$SMALL", &random.between(2, 60).to_string())
        .replace("$WINDOW", &random.between(3, 12).to_string())
        .replace("$BASE", &random.between(3, 36).to_string())
        .replace("$CALL", &format!("routine_{called}"))
        .replace("$A", &a)
        .replace("$B", &b)
        .replace("$C", &c)
}
