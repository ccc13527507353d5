//! The progress bar.

use std::io::{IsTerminal, stderr};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar over `count` files on standard error; invisible when that is no terminal or there is
/// nothing to wait for.
pub(crate) fn bar(count: usize) -> ProgressBar {
    let visible = count > 1 && stderr().is_terminal();
    let target = if visible { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(u64::try_from(count).ok(), target);
    let template = "{bar:32} {pos}/{len} files, {per_sec}, {eta} left";
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
