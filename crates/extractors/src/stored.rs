//! Whether texts stand in a file as they are.

use miyaburi_image::Image;
use rustc_hash::{FxHashMap, FxHashSet};

/// Bytes by which texts are looked for.
const BEGINNING: usize = 4;

/// The numbers of those of `texts` that stand somewhere in the file. Those shorter than four bytes are not looked
/// for.
#[must_use]
pub fn standing(image: &Image, texts: &[&[u8]]) -> FxHashSet<usize> {
    let mut by_beginning: FxHashMap<&[u8], Vec<usize>> = FxHashMap::default();
    for (number, text) in texts.iter().enumerate() {
        if let Some(beginning) = text.get(..BEGINNING) {
            by_beginning.entry(beginning).or_default().push(number);
        }
    }
    let mut found: FxHashSet<usize> = FxHashSet::default();
    for segment in image.segments() {
        for (at, beginning) in segment.data.windows(BEGINNING).enumerate() {
            let Some(numbers) = by_beginning.get(beginning) else { continue };
            let rest = segment.data.get(at..).unwrap_or(&[]);
            let stands =
                |number: &&usize| texts.get(**number).is_some_and(|text| rest.starts_with(text));
            found.extend(numbers.iter().filter(stands));
        }
    }
    found
}
