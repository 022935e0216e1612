//! The store from outside: what it promises, under faults, at its bounds, and against a plain model.

mod archive;
mod attribute_numbers;
mod attributes;
mod bounds;
mod compaction;
mod damage;
mod durability;
mod faults;
mod fixture;
mod formats;
mod full_disk;
mod queries;
mod retention;
mod rollups;
mod scans;
mod simulated;
mod sql;
