//! Concrete execution of lifted code in a machine that has no outside.

mod abi;

pub use abi::{Abi, MissingRegister, ModeSwitch, ReturnAddress};
