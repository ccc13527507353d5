//! Prints what an image holds: `cargo run -p miyaburi-image --example dump FILE...`.

use miyaburi_image::Image;

fn main() -> std::io::Result<()> {
    for path in std::env::args().skip(1) {
        let bytes = std::fs::read(&path)?;
        match Image::parse(&bytes) {
            Err(error) => println!("{path}: {error}"),
            Ok(image) => print_image(&path, &image),
        }
    }
    Ok(())
}

fn print_image(path: &str, image: &Image) {
    println!(
        "{path}: {} {:?} entry {} thumb {} gp {:?} interpreter {:?} needs {:?}",
        image.arch().cpu,
        image.kind(),
        image.entry(),
        image.entry_is_thumb(),
        image.global_pointer(),
        image.interpreter(),
        image.needed_libraries(),
    );
    for segment in image.segments() {
        let (start, end) = (segment.address, segment.end());
        println!("  {start}..{end} {} bytes stored {:?}", segment.data.len(), segment.permissions);
    }
    println!(
        "  {} symbols, {} imports, {} indirect functions, initializers {:?}",
        image.symbols().len(),
        image.imports().len(),
        image.indirect_functions().len(),
        image.initializers(),
    );
    for import in image.imports().iter().take(8) {
        println!("  import {} at {} ({:?})", import.name, import.slot, import.kind);
    }
    for diagnostic in image.diagnostics() {
        println!("  {diagnostic}");
    }
}
