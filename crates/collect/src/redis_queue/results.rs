//! Results: looks up those of tasks that are gone, and finds those of tasks that were never seen.
//!
//! Keys are found with SCAN, a bounded number in each pass; KEYS would stop the server. Results that
//! stood there before the first round was through are history, and are not counted.

use std::collections::HashMap;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError};

use super::mapping::Results;
use super::tracker::End;

/// Keys that Redis looks at for one SCAN.
const SCAN_COUNT: usize = 500;
/// The most SCANs in a pass.
const MAX_SCANS: usize = 20;
/// Results looked up at once.
pub(super) const CHUNK: usize = 100;
/// A longer result is not read: it counts as a success.
const MAX_RESULT_BYTES: u64 = 1 << 20;
/// Bytes of results asked for at once.
const MAX_ANSWER_BYTES: u64 = 4 << 20;
/// The most results remembered to tell new ones from old.
const MAX_REMEMBERED: usize = 200_000;

/// Looks for results.
pub(crate) struct ResultWatch {
    pub(crate) mapping: Results,
    cursor: u64,
    /// How often all keys have been gone through.
    rounds: u64,
    /// Hashes of ids, and the round in which each was met last.
    known: HashMap<u64, u64>,
    unread: u64,
}

impl ResultWatch {
    pub(crate) fn new(mapping: Results) -> Self {
        Self { mapping, cursor: 0, rounds: 0, known: HashMap::new(), unread: 0 }
    }

    /// Results since the last call that were too long, or too many, to be told apart.
    pub(crate) fn take_unread(&mut self) -> u64 {
        std::mem::take(&mut self.unread)
    }

    /// Notes that the result of `id` is accounted for.
    pub(crate) fn settle(&mut self, id: &str) {
        if self.known.len() < MAX_REMEMBERED {
            self.known.insert(hash(id), self.rounds);
        }
    }

    /// Goes on through the keys, and gives the ids whose result is new.
    pub(crate) async fn scan(
        &mut self,
        connection: &mut MultiplexedConnection,
    ) -> Result<Vec<String>, RedisError> {
        let mut fresh = Vec::new();
        for _ in 0..MAX_SCANS {
            let scan = redis::cmd("SCAN")
                .arg(self.cursor)
                .arg("MATCH")
                .arg(&self.mapping.pattern)
                .arg("COUNT")
                .arg(SCAN_COUNT)
                .clone();
            let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(connection).await?;
            for key in keys {
                let Ok(key) = String::from_utf8(key) else { continue };
                let Some(id) = self.mapping.id_of(&key) else { continue };
                self.meet(id, &mut fresh);
            }
            self.cursor = next;
            if next == 0 {
                self.rounds += 1;
                // What was met in neither this round nor the one before has expired.
                let rounds = self.rounds;
                self.known.retain(|_, met| *met + 2 > rounds);
                break;
            }
        }
        Ok(fresh)
    }

    fn meet(&mut self, id: &str, fresh: &mut Vec<String>) {
        let rounds = self.rounds;
        if let Some(met) = self.known.get_mut(&hash(id)) {
            *met = rounds;
        } else if rounds == 0 {
            self.settle(id);
        } else if self.known.len() < MAX_REMEMBERED {
            fresh.push(id.to_owned());
        } else {
            self.unread += 1;
        }
    }

    /// How the tasks with these ids, a chunk of them, have ended; `None` where there is no result.
    pub(crate) async fn look_up(
        &mut self,
        connection: &mut MultiplexedConnection,
        ids: &[String],
    ) -> Result<Vec<Option<End>>, RedisError> {
        let keys: Vec<String> = ids.iter().map(|id| self.mapping.key_of(id)).collect();
        let exists: Vec<bool> = ask_each(connection, "EXISTS", &keys).await?;
        let mut ends: Vec<Option<End>> =
            exists.into_iter().map(|exists| exists.then_some(End::Completed)).collect();
        if self.mapping.failed_path.is_some() {
            self.find_failures(connection, &keys, &mut ends).await?;
        }
        Ok(ends)
    }

    /// Reads the results that are there, and marks the failures among them.
    async fn find_failures(
        &mut self,
        connection: &mut MultiplexedConnection,
        keys: &[String],
        ends: &mut [Option<End>],
    ) -> Result<(), RedisError> {
        let there: Vec<usize> = (0..keys.len()).filter(|place| ends[*place].is_some()).collect();
        let names: Vec<String> = there.iter().map(|place| keys[*place].clone()).collect();
        let lengths: Vec<u64> = ask_each(connection, "STRLEN", &names).await?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        for (place, length) in there.into_iter().zip(lengths) {
            if length > MAX_RESULT_BYTES {
                self.unread += 1;
                continue;
            }
            batch.push(place);
            bytes += length;
            if bytes > MAX_ANSWER_BYTES {
                self.read_batch(connection, keys, &std::mem::take(&mut batch), ends).await?;
                bytes = 0;
            }
        }
        self.read_batch(connection, keys, &batch, ends).await
    }

    async fn read_batch(
        &mut self,
        connection: &mut MultiplexedConnection,
        keys: &[String],
        places: &[usize],
        ends: &mut [Option<End>],
    ) -> Result<(), RedisError> {
        let names: Vec<String> = places.iter().map(|place| keys[*place].clone()).collect();
        // A result that is no string is there all the same, and answers with nothing.
        let texts: Vec<Vec<u8>> = ask_each(connection, "GET", &names).await?;
        for (place, text) in places.iter().zip(texts) {
            match serde_json::from_slice(&text) {
                Ok(value) if self.mapping.is_failure(&value) => ends[*place] = Some(End::Failed),
                Ok(_) => {}
                Err(_) => self.unread += 1,
            }
        }
        Ok(())
    }
}

/// Asks the same of many keys at once; a key of another type answers with the default.
async fn ask_each<T: FromRedisValue + Default>(
    connection: &mut MultiplexedConnection,
    command: &str,
    keys: &[String],
) -> Result<Vec<T>, RedisError> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let mut pipe = redis::pipe();
    for key in keys {
        pipe.cmd(command).arg(key);
    }
    let answers: Vec<Result<T, RedisError>> = pipe.ignore_errors().query_async(connection).await?;
    Ok(answers.into_iter().map(Result::unwrap_or_default).collect())
}

fn hash(id: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(id.as_bytes())
}
