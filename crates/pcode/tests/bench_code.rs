//! The code that the benchmarks lift is code.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn no_file_is_mostly_one_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/code");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut count = 0;
    for path in files.filter(|path| path.extension().is_some_and(|it| it == "bin")) {
        let bytes = std::fs::read(&path).unwrap();
        let mut words = BTreeMap::new();
        bytes.chunks_exact(4).for_each(|word| *words.entry(word).or_insert(0) += 1);
        let most = words.values().max().unwrap();
        assert!(most * 8 < bytes.len() / 4, "{}: one word {most} times", path.display());
        count += 1;
    }
    assert_eq!(count, 14);
}
