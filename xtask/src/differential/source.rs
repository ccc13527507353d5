//! C for CPUs and modes that have no C library: functions of every kind of code that a compiler
//! makes without one, the same in every run.

use rand::{Rng, RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use std::fmt::Write as _;

/// Functions of the program.
const FUNCTIONS: usize = 600;

/// A freestanding program.
pub(crate) fn freestanding() -> String {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut source = String::from(PRELUDE);
    for number in 0..FUNCTIONS {
        source += &function(number, &mut random);
    }
    // Writing to a string cannot fail.
    let _ = writeln!(source, "void _start(void) {{");
    for number in 0..FUNCTIONS {
        let _ = writeln!(source, "  sink += f{number}(sink, {number}, bytes);");
    }
    source += "  for (;;) ;\n}\n";
    source
}

const PRELUDE: &str = "\
typedef unsigned u32; typedef int s32; typedef unsigned long long u64;
typedef unsigned short u16; typedef short s16; typedef unsigned char u8; typedef signed char s8;
volatile u32 sink;
u8 bytes[4096];
struct record { u8 a; u16 b; u32 c; s8 d; u64 e; u32 f : 5; u32 g : 11; } records[64];
static u32 (*const table[4])(u32);
void *memcpy(void *to, const void *from, __SIZE_TYPE__ n) {
  u8 *t = to; const u8 *f = from; while (n--) *t++ = *f++; return to; }
void *memset(void *to, int value, __SIZE_TYPE__ n) {
  u8 *t = to; while (n--) *t++ = value; return to; }
static u32 h0(u32 x) { return x + 1; }
static u32 h1(u32 x) { return x ^ 0x12345678; }
static u32 h2(u32 x) { return x << 3; }
static u32 h3(u32 x) { return x * 2654435761u; }
static u32 (*const table[4])(u32) = { h0, h1, h2, h3 };
";

fn function(number: usize, random: &mut ChaCha8Rng) -> String {
    let mut body = format!(
        "__attribute__((noinline)) u32 f{number}(u32 a, u32 b, u8 *p) {{\n  \
         u32 c = a ^ {}u, d = b + {}u; u64 w = a; s32 s = (s32)b; u32 i;\n",
        random.random::<u32>(),
        random.random::<u16>(),
    );
    for _ in 0..random.random_range(4..14) {
        body += &statement(number, random);
    }
    body += "  return a + b + c + d + (u32)(w >> 13) + (u32)s;\n}\n";
    body
}

fn statement(number: usize, random: &mut ChaCha8Rng) -> String {
    let variable = |random: &mut ChaCha8Rng| ["a", "b", "c", "d"][random.random_range(0..4)];
    let (x, y, z) = (variable(random), variable(random), variable(random));
    let constant: u32 = random.next_u32() >> random.random_range(0..28);
    let small = random.random_range(1..31);
    let index = random.random_range(0..64);
    match random.random_range(0..16) {
        0 => format!("  {x} = {y} + {z} * {constant}u;\n"),
        1 => format!("  {x} ^= ({y} << {small}) | ({z} >> {});\n", 32 - small),
        2 => format!("  if ({x} < {y}) {x} += {constant}u; else {z} -= {y};\n"),
        3 => format!("  for (i = 0; i < {small}; i++) p[i] ^= (u8)({x} + i);\n"),
        4 => format!("  w += (u64){x} * {y}; w ^= w >> {small}; {z} += (u32)w;\n"),
        5 => format!("  s = (s32){x} >> {small}; if (s < 0) s = -s; {y} -= (u32)s;\n"),
        6 => format!("  records[{index}].b += (u16){x}; {y} += records[{index}].d;\n"),
        7 => format!("  records[{index}].g = {x}; {y} ^= records[{index}].f;\n"),
        8 => format!(
            "  switch ({x} & 7) {{ case 0: {y} += 3; break; case 1: {y} ^= {z}; break; \
             case 2: {y} *= 5; break; case 3: sink = {y}; break; case 4: {y} -= {z}; break; \
             case 5: {y} = ~{y}; break; case 6: {y} <<= 2; break; default: {z} ++; }}\n"
        ),
        9 => format!("  {x} = table[{y} & 3]({z});\n"),
        10 if number > 0 => {
            format!("  {x} += f{}({y}, {z}, p + {small});\n", random.random_range(0..number))
        }
        11 => format!("  while ({x} & 1) {{ {x} >>= 1; {y}++; }}\n"),
        12 => format!("  {x} = *(s16 *)(p + {}) + *(s8 *)(p + {small});\n", index * 2),
        13 => format!(
            "  *(u32 *)(p + {}) = {x}; *(u16 *)(p + {}) = (u16){y};\n",
            index * 4,
            index * 2
        ),
        14 => format!("  {x} = {y} == {z} ? {constant}u : ({y} > {constant}u) + ({z} != 0);\n"),
        _ => format!("  w = (w << {small}) - {x}; {y} = (u32)(w >> 32);\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_is_the_same_in_every_run() {
        assert_eq!(freestanding(), freestanding());
        assert!(freestanding().contains(&format!("u32 f{}(", FUNCTIONS - 1)));
    }
}
