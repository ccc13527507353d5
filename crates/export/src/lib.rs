//! Reports in the formats of other programs, one module per format.
//!
//! A format is made from the report alone; writing it somewhere is left to the caller.

pub mod mirai_toushi;
