//! Builds the crate again when a migration is added: the compiler itself sees only changed ones.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
