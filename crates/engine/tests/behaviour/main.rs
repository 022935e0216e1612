//! The store from outside: what it promises, under faults, at its bounds, and against a plain model.

mod bounds;
mod compaction;
mod damage;
mod durability;
mod faults;
mod fixture;
mod formats;
mod queries;
mod scans;
mod simulated;
