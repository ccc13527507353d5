//! Operations on registers and constants of the usual sizes, one small routine for each.
//!
//! They are most of what a block does. A routine that knows its operation, sizes and byte order
//! needs no decisions; everything else goes the long way of [`crate::interpreter`], which gives the
//! same results.

use crate::block::{MicroOp, Operand, sign_extend, size_mask};
use crate::machine::State;
use crate::user_op::UserOp;
use miyaburi_image::Endian;
use miyaburi_pcode::Opcode;

/// Executes one operation that cannot fail or leave the block.
pub(crate) type Routine = fn(&mut State<'_>, &MicroOp);

/// What is computed from two numbers of `size` bytes; only its low bytes are kept.
trait Binary {
    fn result(first: u64, second: u64, size: u32) -> u64;
}

/// What is computed from one number of `size` bytes; only its low bytes are kept.
trait Unary {
    fn result(value: u64, size: u32) -> u64;
}

macro_rules! binary {
    ($($name:ident: |$first:ident, $second:ident, $size:ident| $result:expr;)*) => {$(
        struct $name;
        impl Binary for $name {
            #[inline(always)]
            fn result($first: u64, $second: u64, $size: u32) -> u64 { $result }
        }
    )*};
}

macro_rules! unary {
    ($($name:ident: |$value:ident, $size:ident| $result:expr;)*) => {$(
        struct $name;
        impl Unary for $name {
            #[inline(always)]
            fn result($value: u64, $size: u32) -> u64 { $result }
        }
    )*};
}

binary! {
    Add: |a, b, _size| a.wrapping_add(b);
    Subtract: |a, b, _size| a.wrapping_sub(b);
    And: |a, b, _size| a & b;
    Or: |a, b, _size| a | b;
    Xor: |a, b, _size| a ^ b;
    Multiply: |a, b, _size| a.wrapping_mul(b);
    Left: |a, b, size| if b >= u64::from(8 * size) { 0 } else { a << b };
    Right: |a, b, size| if b >= u64::from(8 * size) { 0 } else { a >> b };
    SignedRight: |a, b, size| (sign_extend(a, size) >> b.min(63)) as u64;
    Equal: |a, b, _size| u64::from(a == b);
    NotEqual: |a, b, _size| u64::from(a != b);
    Less: |a, b, _size| u64::from(a < b);
    LessEqual: |a, b, _size| u64::from(a <= b);
    SignedLess: |a, b, size| u64::from(sign_extend(a, size) < sign_extend(b, size));
    SignedLessEqual: |a, b, size| u64::from(sign_extend(a, size) <= sign_extend(b, size));
    Carry: |a, b, size| u64::from(a.wrapping_add(b) & size_mask(size) < a);
}

unary! {
    Copy: |value, _size| value;
    SignExtend: |value, size| sign_extend(value, size) as u64;
    Negate: |value, _size| value.wrapping_neg();
    Complement: |value, _size| !value;
    Not: |value, _size| value ^ 1;
}

#[inline(always)]
fn read<const SIZE: usize, const BIG: bool>(state: &State<'_>, operand: Operand) -> u64 {
    let at = match operand {
        Operand::State(at) => at as usize,
        Operand::Constant(value) => return value,
        _ => return 0,
    };
    let bytes = state.bytes.get(at..).and_then(<[u8]>::first_chunk::<SIZE>);
    bytes.map_or(0, |bytes| endian::<BIG>().read_uint(bytes))
}

const fn endian<const BIG: bool>() -> Endian {
    if BIG { Endian::Big } else { Endian::Little }
}

#[inline(always)]
fn write<const SIZE: usize, const BIG: bool>(state: &mut State<'_>, output: Operand, value: u64) {
    let Operand::State(at) = output else { return };
    let bytes = state.bytes.get_mut(at as usize..).and_then(<[u8]>::first_chunk_mut::<SIZE>);
    if let Some(bytes) = bytes {
        endian::<BIG>().write_uint(bytes, value);
    }
}

/// Both numbers of `IN` bytes, the result of `OUT`.
fn binary<O: Binary, const IN: usize, const OUT: usize, const BIG: bool>(
    state: &mut State<'_>,
    op: &MicroOp,
) {
    let first = read::<IN, BIG>(state, op.inputs[0]);
    let second = read::<IN, BIG>(state, op.inputs[1]);
    write::<OUT, BIG>(state, op.output, O::result(first, second, IN as u32));
}

fn unary<O: Unary, const IN: usize, const OUT: usize, const BIG: bool>(
    state: &mut State<'_>,
    op: &MicroOp,
) {
    let value = read::<IN, BIG>(state, op.inputs[0]);
    write::<OUT, BIG>(state, op.output, O::result(value, IN as u32));
}

/// The routine for numbers of so many bytes whose result has as many.
fn same_size<O: Binary, const BIG: bool>(size: u32) -> Option<Routine> {
    match size {
        1 => Some(binary::<O, 1, 1, BIG>),
        2 => Some(binary::<O, 2, 2, BIG>),
        4 => Some(binary::<O, 4, 4, BIG>),
        8 => Some(binary::<O, 8, 8, BIG>),
        _ => None,
    }
}

/// The routine that compares numbers of so many bytes.
fn comparison<O: Binary, const BIG: bool>(size: u32) -> Option<Routine> {
    match size {
        1 => Some(binary::<O, 1, 1, BIG>),
        2 => Some(binary::<O, 2, 1, BIG>),
        4 => Some(binary::<O, 4, 1, BIG>),
        8 => Some(binary::<O, 8, 1, BIG>),
        _ => None,
    }
}

/// The routine from numbers of so many bytes to so many.
fn conversion<O: Unary, const BIG: bool>(from: u32, to: u32) -> Option<Routine> {
    match (from, to) {
        (1, 1) => Some(unary::<O, 1, 1, BIG>),
        (2, 2) => Some(unary::<O, 2, 2, BIG>),
        (4, 4) => Some(unary::<O, 4, 4, BIG>),
        (8, 8) => Some(unary::<O, 8, 8, BIG>),
        (1, 2) => Some(unary::<O, 1, 2, BIG>),
        (1, 4) => Some(unary::<O, 1, 4, BIG>),
        (1, 8) => Some(unary::<O, 1, 8, BIG>),
        (2, 4) => Some(unary::<O, 2, 4, BIG>),
        (2, 8) => Some(unary::<O, 2, 8, BIG>),
        (4, 8) => Some(unary::<O, 4, 8, BIG>),
        _ => None,
    }
}

/// The routine for an operation, when there is one.
pub(crate) fn routine(op: &MicroOp, endian: Endian) -> Option<Routine> {
    let is_near = |operand: &Operand| matches!(operand, Operand::State(_) | Operand::Constant(_));
    let used = op.sizes.iter().filter(|size| **size > 0).count();
    let is_simple = !op.wide
        && op.user_op == UserOp::None
        && matches!(op.output, Operand::State(_))
        && op.inputs.iter().take(used).all(is_near);
    match (is_simple, endian) {
        (false, _) => None,
        (_, Endian::Little) => routine_of::<false>(op, used),
        (_, Endian::Big) => routine_of::<true>(op, used),
    }
}

fn routine_of<const BIG: bool>(op: &MicroOp, used: usize) -> Option<Routine> {
    let [first, second, _] = op.sizes;
    let to = op.output_size;
    let is_shift = matches!(op.opcode, Opcode::INT_LEFT | Opcode::INT_RIGHT | Opcode::INT_SRIGHT);
    let is_constant = matches!(op.inputs[1], Operand::Constant(_));
    let is_even = first == second || is_shift && is_constant;
    match (used, to) {
        (1, _) => routine_of_one::<BIG>(op.opcode, first, to),
        (2, to) if is_even && to == first => {
            arithmetic::<BIG>(op.opcode, first).or_else(|| test::<BIG>(op.opcode, first, to))
        }
        (2, to) if is_even => test::<BIG>(op.opcode, first, to),
        _ => None,
    }
}

fn routine_of_one<const BIG: bool>(opcode: Opcode, from: u32, to: u32) -> Option<Routine> {
    match opcode {
        Opcode::COPY | Opcode::INT_ZEXT => conversion::<Copy, BIG>(from, to),
        Opcode::INT_SEXT => conversion::<SignExtend, BIG>(from, to),
        Opcode::INT_2COMP if from == to => conversion::<Negate, BIG>(from, to),
        Opcode::INT_NEGATE if from == to => conversion::<Complement, BIG>(from, to),
        Opcode::BOOL_NEGATE if from == to => conversion::<Not, BIG>(from, to),
        _ => None,
    }
}

fn arithmetic<const BIG: bool>(opcode: Opcode, size: u32) -> Option<Routine> {
    match opcode {
        Opcode::INT_ADD => same_size::<Add, BIG>(size),
        Opcode::INT_SUB => same_size::<Subtract, BIG>(size),
        Opcode::INT_AND | Opcode::BOOL_AND => same_size::<And, BIG>(size),
        Opcode::INT_OR | Opcode::BOOL_OR => same_size::<Or, BIG>(size),
        Opcode::INT_XOR | Opcode::BOOL_XOR => same_size::<Xor, BIG>(size),
        Opcode::INT_MULT => same_size::<Multiply, BIG>(size),
        Opcode::INT_LEFT => same_size::<Left, BIG>(size),
        Opcode::INT_RIGHT => same_size::<Right, BIG>(size),
        Opcode::INT_SRIGHT => same_size::<SignedRight, BIG>(size),
        _ => None,
    }
}

fn test<const BIG: bool>(opcode: Opcode, size: u32, to: u32) -> Option<Routine> {
    match opcode {
        _ if to != 1 => None,
        Opcode::INT_EQUAL => comparison::<Equal, BIG>(size),
        Opcode::INT_NOTEQUAL => comparison::<NotEqual, BIG>(size),
        Opcode::INT_LESS => comparison::<Less, BIG>(size),
        Opcode::INT_LESSEQUAL => comparison::<LessEqual, BIG>(size),
        Opcode::INT_SLESS => comparison::<SignedLess, BIG>(size),
        Opcode::INT_SLESSEQUAL => comparison::<SignedLessEqual, BIG>(size),
        Opcode::INT_CARRY => comparison::<Carry, BIG>(size),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)]
mod tests {
    use super::routine;
    use crate::Abi;
    use crate::block::{Block, MicroOp, Operand};
    use crate::emulator::Emulator;
    use crate::interpreter::execute_one;
    use crate::machine::State;
    use crate::user_op::UserOp;
    use miyaburi_image::{Address, Endian, Image};
    use miyaburi_pcode::{Context, Opcode, language_for};

    const OPCODES: [Opcode; 25] = [
        Opcode::COPY,
        Opcode::INT_ZEXT,
        Opcode::INT_SEXT,
        Opcode::INT_2COMP,
        Opcode::INT_NEGATE,
        Opcode::BOOL_NEGATE,
        Opcode::INT_ADD,
        Opcode::INT_SUB,
        Opcode::INT_AND,
        Opcode::INT_OR,
        Opcode::INT_XOR,
        Opcode::BOOL_AND,
        Opcode::BOOL_OR,
        Opcode::BOOL_XOR,
        Opcode::INT_MULT,
        Opcode::INT_LEFT,
        Opcode::INT_RIGHT,
        Opcode::INT_SRIGHT,
        Opcode::INT_EQUAL,
        Opcode::INT_NOTEQUAL,
        Opcode::INT_LESS,
        Opcode::INT_LESSEQUAL,
        Opcode::INT_SLESS,
        Opcode::INT_SLESSEQUAL,
        Opcode::INT_CARRY,
    ];

    /// A file without any code: 32 bits of PowerPC or x86.
    fn image(endian: Endian) -> Image {
        let mut file = vec![0; 52 + 32];
        let mut put = |at: usize, size: usize, value: u64| {
            endian.write_uint(&mut file[at..at + size], value);
        };
        for (at, size, value) in [
            (0x10, 2, 2),
            (0x12, 2, if endian == Endian::Big { 20 } else { 3 }),
            (0x14, 4, 1),
            (0x1c, 4, 52),
            (0x28, 2, 52),
            (0x2a, 2, 32),
            (0x2c, 2, 1),
            (0x34, 4, 1),
            (0x3c, 4, 0x10000),
            (0x44, 4, 84),
            (0x48, 4, 84),
            (0x4c, 4, 5),
        ] {
            put(at, size, value);
        }
        let order = if endian == Endian::Big { 2 } else { 1 };
        file[..7].copy_from_slice(&[0x7f, b'E', b'L', b'F', 1, order, 1]);
        Image::parse(&file).expect("a file")
    }

    fn op(opcode: Opcode, inputs: &[(Operand, u32)], to: u32) -> MicroOp {
        let mut op = MicroOp {
            opcode,
            instruction: 0,
            output: Operand::State(16),
            output_size: to,
            inputs: [Operand::None; 3],
            sizes: [0; 3],
            user_op: UserOp::None,
            wide: false,
            routine: None,
        };
        for (slot, (input, size)) in inputs.iter().enumerate() {
            (op.inputs[slot], op.sizes[slot]) = (*input, *size);
        }
        op
    }

    /// The state's bytes after the long way and after the short one; `None` where there is none.
    fn both_ways(state: &State<'_>, op: MicroOp) -> Option<(Vec<u8>, Vec<u8>)> {
        let routine = routine(&op, state.endian)?;
        let (mut long, mut short) = (state.clone(), state.clone());
        routine(&mut short, &op);
        let mut block = Block::missing(Address(0), Context::default());
        block.ops = Box::new([op]);
        execute_one(&mut long, &block, 0);
        Some((long.bytes, short.bytes))
    }

    #[test]
    fn the_short_way_gives_what_the_long_one_does() {
        let numbers = [0, 1, 2, 31, 0x7f, 0x80, 0xff, 0x7fff_ffff, 0x8000_0000, u64::MAX, 1 << 63];
        let mut compared = 0;
        for endian in [Endian::Little, Endian::Big] {
            let image = image(endian);
            let language = language_for(image.arch()).expect("a specification");
            let abi = Abi::new(image.arch(), language.as_ref()).expect("its registers");
            let mut state = Emulator::new(&image, language.as_ref(), abi).bare_state(1);
            let pairs = numbers.iter().flat_map(|a| numbers.iter().map(move |b| (*a, *b)));
            for (first, second) in pairs {
                for (opcode, size) in OPCODES.iter().flat_map(|o| [1, 2, 4, 8].map(|s| (*o, s))) {
                    let mask = u64::MAX >> (64 - 8 * size);
                    state.write_state(0, size, first);
                    state.write_state(8, size, second);
                    let a = (Operand::State(0), size);
                    let constant = (Operand::Constant(second & mask), size);
                    for to in [1, 2, 4, 8] {
                        let shapes: [&[(Operand, u32)]; 4] =
                            [&[a], &[a, (Operand::State(8), size)], &[a, constant], &[constant, a]];
                        for inputs in shapes {
                            let Some((long, short)) = both_ways(&state, op(opcode, inputs, to))
                            else {
                                continue;
                            };
                            assert_eq!(long, short, "{opcode:?} {inputs:?} {to} {endian:?}");
                            compared += 1;
                        }
                    }
                }
            }
        }
        assert!(compared > 20_000, "{compared}");
    }

    #[test]
    fn what_can_fail_or_leave_goes_the_long_way() {
        let state = (Operand::State(0), 4);
        for opcode in [Opcode::INT_DIV, Opcode::LOAD, Opcode::BRANCHIND, Opcode::FLOAT_ADD] {
            assert!(routine(&op(opcode, &[state, state], 4), Endian::Little).is_none());
        }
        let memory = (Operand::Memory(Address(0x1000)), 4);
        assert!(routine(&op(Opcode::COPY, &[memory], 4), Endian::Little).is_none());
    }
}
