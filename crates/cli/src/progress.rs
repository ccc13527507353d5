//! Progress bars.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `count` files on standard error; invisible when that is no terminal or there is
/// nothing to wait for.
pub(crate) fn bar(count: usize) -> ProgressBar {
    let template = "{bar:32} {pos}/{len} files, {per_sec}, {eta} left";
    shown(u64::try_from(count).ok().filter(|count| *count > 1), template)
}

/// A bar over `size` bytes on standard error; invisible when that is no terminal or there are few.
pub(crate) fn bytes(size: u64) -> ProgressBar {
    /// Bytes that are read before a bar could be seen.
    const FEW: u64 = 1 << 26;
    let template =
        "{bar:32} {binary_bytes}/{binary_total_bytes}, {binary_bytes_per_sec}, {eta} left";
    shown(Some(size).filter(|size| *size > FEW), template)
}

/// A bar of so much; invisible when that is none or standard error no terminal.
fn shown(length: Option<u64>, template: &str) -> ProgressBar {
    let visible = length.is_some() && stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(length, target);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
