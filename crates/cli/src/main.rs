//! The binary `watchkeeper`.
fn main() {}
