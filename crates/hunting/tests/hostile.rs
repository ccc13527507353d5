//! What hostile logs do to readers: nothing. `examples/mutate.rs` runs as many cases as one likes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/mutation.rs"]
mod mutation;

#[test]
fn samples_are_read_whole_and_recognised() {
    for sample in mutation::samples() {
        let (told, recognised) = mutation::whole(&sample);
        assert!(told.events > 0, "{told:?}");
        assert!(recognised.events > 0 && recognised.unread == 0, "{recognised:?}");
        if told.format != Some("described") {
            assert_eq!(told.format, recognised.format);
            assert_eq!((told.unread, told.events), (0, recognised.events), "{told:?}");
        }
    }
}

#[test]
fn damaged_samples_are_read_or_not() {
    let samples = mutation::samples();
    let told = mutation::mutate(&samples, 0..6000, 1);
    assert!(told.events > 1000 && told.unread > 100, "{told:?}");
}
