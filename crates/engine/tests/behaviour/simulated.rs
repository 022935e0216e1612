//! Lives of a store on a disk that loses, tears and fails, against a plain model of what was acknowledged.
//!
//! What holds after each end: everything acknowledged is there, a batch whose answer never came is there
//! as a whole or not at all, and nothing is there twice or was never sent. Of several values for one time the
//! first is there, what came too late is not, and only what is past its retention may go. While the store lives
//! its answers are the model's. A failure prints its seed: `WATCHKEEPER_SEED=<seed>` runs that one alone,
//! `WATCHKEEPER_SEEDS=<count>` more of them, as `make soak` does.

mod batches;
mod disk;
mod life;
mod model;
mod world;

use std::path::Path;

use disk::{End, Faults, SimulatedDisk};
use fastrand::Rng;
use life::{Done, Life};
use model::Model;

/// Seeds of an ordinary run.
const SEEDS: u64 = 2_000;
/// Lives of a store in a long trace.
const LIVES: u32 = 4;
/// The seed of what the short trace sends: doubles in the head and in files, of what expires and of what stays, and
/// samples that are too old for the head and for one before it.
const SHORT: u64 = 243;

/// A folder in memory, where there is one: the catalog's own syncs need no disk here.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let builder = tempfile::Builder::new();
    if memory.is_dir() { builder.tempdir_in(memory) } else { builder.tempdir() }.expect("a folder")
}

/// The short trace: batches, files, a start after a clean end, more of both, the first files dropped, and the others
/// merged.
fn short_trace(life: &mut Life<'_>, model: &mut Model) {
    life.append(model);
    life.append_late(model);
    life.checkpoint(model);
    let horizon_ms = model.later_than_all();
    life.append(model);
    if !life.is_over() {
        life.shutdown();
        life.open_again(model);
    }
    for _ in 0..2 {
        life.append(model);
        life.append_late(model);
        life.checkpoint(model);
    }
    life.append(model);
    life.expire_and_merge(model, horizon_ms);
}

/// Runs the short trace to its death at the call `dies_at`, then the recovery to its death at the call
/// `dies_again`, then recovers. Returns the calls of the trace, and of the recovery.
fn short_life(end: End, dies_at: Option<u64>, dies_again: Option<u64>) -> (u64, u64) {
    let folder = folder();
    let disk = SimulatedDisk::new(7);
    let mut model = Model::new(SHORT);
    disk.die_after(dies_at);
    let mut life = Life::new(&disk, folder.path());
    life.try_open(&mut model);
    if !life.is_over() {
        short_trace(&mut life, &mut model);
    }
    if dies_at.is_none() {
        let Done { doubles, too_old, expired_files, merged_files } = life.done();
        assert!(doubles > 0 && too_old > 0 && expired_files > 0 && merged_files > 0, "{:?}", life.done());
    }
    drop(life);
    let calls = disk.operations();
    disk.end(end);
    disk.die_after(dies_again);
    let mut life = Life::new(&disk, folder.path());
    life.try_open(&mut model);
    let recovery = disk.operations() - calls;
    if life.is_over() {
        drop(life);
        disk.end(end);
        life = Life::new(&disk, folder.path());
        life.try_open(&mut model);
    }
    // Every other time more comes before anybody looks what was recovered.
    if dies_at.is_some_and(|call| call.is_multiple_of(2)) {
        life.append_late(&mut model);
    }
    finish(&mut life, &mut model);
    (calls, recovery)
}

/// What a trace ends with, on a disk that does not fail.
fn finish(life: &mut Life<'_>, model: &mut Model) {
    life.compare(model);
    life.append(model);
    life.checkpoint(model);
    life.compare(model);
    life.expire_all(model);
}

#[test]
fn a_crash_at_any_call_loses_nothing_and_so_does_a_second_one_while_it_recovers() {
    for end in [End::PowerLoss, End::Killed] {
        let (calls, _) = short_life(end, None, None);
        assert!(calls > 50, "the trace does something: {calls}");
        for dies_at in 1..=calls {
            let (_, recovery) = short_life(end, Some(dies_at), None);
            // Every call of the recovery from some deaths, and one of each other, another each time.
            let again = match dies_at % 24 {
                0 => 1..=recovery,
                _ => {
                    let one = 1 + dies_at * 7 % recovery.max(1);
                    one..=one.min(recovery)
                }
            };
            for dies_again in again {
                short_life(end, Some(dies_at), Some(dies_again));
            }
        }
    }
}

/// A long trace: several lives with random deaths and failing calls.
fn long_trace(mut rng: Rng, disk: &SimulatedDisk) {
    let folder = folder();
    let mut model = Model::new(rng.u64(..));
    for _ in 0..rng.u32(2..=LIVES) {
        // A disk that fails now and then, a power that does, or both.
        let (fails, dies) = [(true, false), (false, true), (false, true), (true, true)][rng.usize(0..4)];
        disk.set_faults(if fails { Faults { reads: 10, writes: 10 } } else { Faults::default() });
        disk.die_after(dies.then(|| rng.u64(1..160)));
        let mut life = Life::new(disk, folder.path());
        life.try_open(&mut model);
        if !life.is_over() {
            // At times more comes before anybody looks what was recovered.
            if rng.u8(0..3) == 0 {
                life.append(&mut model);
            }
            life.compare(&mut model);
        }
        for _ in 0..rng.u32(1..25) {
            if life.is_over() {
                break;
            }
            match rng.u8(0..20) {
                0..=9 => life.append(&mut model),
                10..=12 => life.checkpoint(&mut model),
                13 => life.compare(&mut model),
                14..=15 => {
                    life.shutdown();
                    life.open_again(&mut model);
                }
                16..=17 => life.compact(),
                18 => {
                    let horizon_ms = model.horizon();
                    life.expire(&mut model, horizon_ms);
                }
                _ => {
                    let horizon_ms = model.horizon();
                    life.expire_and_merge(&mut model, horizon_ms);
                }
            }
        }
        drop(life);
        disk.end(if rng.bool() { End::PowerLoss } else { End::Killed });
    }
    disk.set_faults(Faults::default());
    let mut life = Life::new(disk, folder.path());
    life.try_open(&mut model);
    finish(&mut life, &mut model);
}

#[test]
fn many_lives_on_a_bad_disk_lose_nothing() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("WATCHKEEPER_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("WATCHKEEPER_SEEDS").unwrap_or(SEEDS)).collect(),
    };
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(seed) = seeds.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let mut rng = Rng::with_seed(*seed);
                    let disk = SimulatedDisk::new(rng.u64(..));
                    let run = std::panic::AssertUnwindSafe(|| long_trace(rng, &disk));
                    if let Err(panic) = std::panic::catch_unwind(run) {
                        eprintln!("{}", disk.history());
                        eprintln!("the seed is {seed}: WATCHKEEPER_SEED={seed} runs it alone");
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
}
