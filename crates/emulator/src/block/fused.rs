//! Products that are rounded together with the sum they go into.

use super::{MicroOp, Operand};
use crate::user_op::UserOp;
use miyaburi_image::Family;
use miyaburi_pcode::Opcode;

/// Whether the multiply-and-add instructions of a CPU round once. P-code has no such operation: the
/// specifications write a product and a sum. ARM's `vmla` and MIPS's `madd` do round twice.
pub(super) const fn fuses_products(family: Family) -> bool {
    matches!(family, Family::AArch64 | Family::PowerPc | Family::RiscV64 | Family::SuperH)
}

/// Lets a sum take the factors of the product that the same instruction makes for it.
pub(super) fn fuse_products(ops: &mut [MicroOp]) {
    for sum in 1..ops.len() {
        let (before, rest) = ops.split_at_mut(sum);
        let Some(op) = rest.first_mut() else { return };
        if !matches!(op.opcode, Opcode::FLOAT_ADD | Opcode::FLOAT_SUB) {
            continue;
        }
        let writer_of = |operand: Operand, end: usize| {
            let named = matches!(operand, Operand::State(_));
            named.then(|| before[..end].iter().rposition(|it| it.output == operand)).flatten()
        };
        let product_at = |slot: usize| {
            let at = writer_of(op.inputs[slot], before.len())?;
            let negated = before[at].opcode == Opcode::FLOAT_NEG;
            let at = if negated { writer_of(before[at].inputs[0], at)? } else { at };
            let product = &before[at];
            let changed = |it: &MicroOp| product.inputs[..2].contains(&it.output);
            let fits = product.opcode == Opcode::FLOAT_MULT
                && product.output_size == op.output_size
                && !before[at..].iter().any(changed);
            fits.then_some((product, negated))
        };
        let (slot, (product, negated)) = match (product_at(0), product_at(1)) {
            (Some(product), _) => (0, product),
            (None, Some(product)) => (1, product),
            (None, None) => continue,
        };
        let subtracts = op.opcode == Opcode::FLOAT_SUB;
        op.user_op = match (slot, subtracts, negated) {
            (_, false, false) | (1, true, true) => UserOp::ProductPlus,
            (_, false, true) | (1, true, false) => UserOp::MinusProduct,
            (_, true, false) => UserOp::ProductMinus,
            (_, true, true) => UserOp::MinusProductMinus,
        };
        op.inputs = [product.inputs[0], product.inputs[1], op.inputs[1 - slot]];
        op.sizes = [product.sizes[0], product.sizes[1], op.sizes[1 - slot]];
    }
}
