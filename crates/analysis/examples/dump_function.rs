//! Prints a function's blocks, instructions, P-code and calls.
//!
//! Usage: `dump_function FILE ADDRESS [ops]`

use miyaburi_analysis::Program;
use miyaburi_image::{Address, Image};
use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("no file named")?;
    let address = arguments.next().ok_or("no address named")?;
    let address = Address(u64::from_str_radix(address.trim_start_matches("0x"), 16)?);
    let with_ops = arguments.next().is_some();
    let image = Image::parse(&std::fs::read(path)?)?;
    let language = miyaburi_pcode::language_for(image.arch())?;
    let program = Program::analyze(&image, language.as_ref())?;
    let id = program.function_containing(address).ok_or("no function there")?;
    let function = program.function(id).ok_or("no function there")?;
    let values = program.values(id).ok_or("no values")?;
    println!(
        "{} {:?} {:?} returns {} size {}",
        function.entry,
        function.name,
        function.origin,
        function.returns,
        function.size()
    );
    for block in function.blocks() {
        let successors = block.successors.iter().filter_map(|s| function.blocks().get(*s as usize));
        let successors: Vec<Address> = successors.map(|block| block.start).collect();
        println!("block {}..{} {:?} -> {successors:?}", block.start, block.end, block.exit);
        let mut address = block.start;
        while with_ops && address < block.end {
            let Some(instruction) = program.code().instruction_at(address) else { break };
            let view = program.code().instruction(instruction);
            println!("  {address} {:?}", view.flow);
            for op in view.ops {
                println!("    {:?} = {} {:?}", op.output, op.opcode.name(), op.inputs());
            }
            address = address.offset(u64::from(view.length));
        }
    }
    for site in program.calls_of(id) {
        let arguments: Vec<_> = (0..4).map(|index| values.argument(site.address, index)).collect();
        println!("{} {:?} {:?} {arguments:?}", site.address, site.kind, site.target);
    }
    for store in values.stores() {
        println!("{} [{}]:{} = {:?}", store.instruction, store.to, store.size, store.value);
    }
    Ok(())
}
