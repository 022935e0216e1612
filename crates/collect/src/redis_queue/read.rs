//! Reads one key of a queue, oldest first, and no more of it than the bounds allow.

use std::sync::Arc;

use model::Timestamp;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, RedisError};

use super::mapping::{Access, Key, ScoreMeaning};
use super::payload::{Facts, PayloadReader};
use crate::collector::CollectError;
use crate::redis_server::{plain_error, read_error};

/// Members asked for at once: a queue of large payloads must not fill the memory in one answer.
const CHUNK: usize = 100;
/// The most bytes of payloads read of one queue in a pass.
const MAX_BYTES: usize = 32 << 20;

/// An entry of a stream: its id and its fields.
type Entry = (String, Vec<(String, Vec<u8>)>);

/// A task as it was found in a key.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// By what the task is known in every key: its id; in a stream, that of its entry.
    pub(crate) identity: String,
    /// What is kept of its payload, where the key holds it.
    pub(crate) facts: Option<Arc<Facts>>,
    pub(crate) score: Option<f64>,
    /// When the task came into this state, where the key tells.
    pub(crate) since: Option<Timestamp>,
    /// When the task was made, where the key tells and the payload does not.
    pub(crate) created_at: Option<Timestamp>,
    /// Who was given it and how often, in the group of a stream.
    pub(crate) held: Option<Held>,
    /// The member itself, where an operation asked for it. A pass of the collector never does.
    pub(crate) payload: Option<Vec<u8>>,
}

/// Who was given an entry of a stream, and how often it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) consumer: String,
    pub(crate) deliveries: u64,
}

/// What a key held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    pub(crate) depth: u64,
    pub(crate) members: Vec<Member>,
    /// Whether `members` are all of them.
    pub(crate) whole: bool,
}

/// Reads keys over one connection.
pub(crate) struct KeyReader<'a> {
    pub(crate) connection: MultiplexedConnection,
    pub(crate) payloads: &'a mut PayloadReader,
    pub(crate) max_members: usize,
    pub(crate) now: Timestamp,
    bytes_left: usize,
    with_payloads: bool,
}

impl<'a> KeyReader<'a> {
    pub(crate) fn new(
        connection: MultiplexedConnection,
        payloads: &'a mut PayloadReader,
        max_members: usize,
        now: Timestamp,
    ) -> Self {
        Self { connection, payloads, max_members, now, bytes_left: MAX_BYTES, with_payloads: false }
    }

    /// Members come with what they are, for as long as an operation needs it.
    pub(crate) fn with_payloads(mut self) -> Self {
        self.with_payloads = true;
        self
    }

    /// Reads a key. A key that is not there is empty.
    pub(crate) async fn read(&mut self, key: &Key) -> Result<Reading, CollectError> {
        let read = match &key.access {
            Access::Zset { highest_first, score } => self.zset(&key.name, *highest_first, *score).await,
            Access::Set => self.set(&key.name).await,
            Access::List { tail_first } => self.list(&key.name, *tail_first).await,
            Access::StreamWaiting { group: None, field } => {
                self.stream(&key.name, "-".to_owned(), None, field.as_deref()).await
            }
            Access::StreamWaiting { group: Some(group), field } => {
                return self.undelivered(key, group, field.as_deref()).await;
            }
            Access::StreamTaken { group } => self.taken(&key.name, group).await,
        };
        match read {
            Ok(reading) => Ok(reading),
            Err(error) => Err(self.explain(key, error).await),
        }
    }

    /// An error in words; of a key with another type, which type it has.
    async fn explain(&mut self, key: &Key, error: RedisError) -> CollectError {
        let name = &key.name;
        if error.code() == Some("NOGROUP") {
            return CollectError::Mismatch(format!("the stream `{name}` does not have the mapped group"));
        }
        if error.code() != Some("WRONGTYPE") {
            return read_error(format!("the key `{name}`"), &error);
        }
        let found: Result<String, RedisError> = self.ask(redis::cmd("TYPE").arg(name)).await;
        let found = found.unwrap_or_else(|error| plain_error(&error));
        let mapped = match key.access {
            Access::Zset { .. } => "zset",
            Access::Set => "set",
            Access::List { .. } => "list",
            Access::StreamWaiting { .. } | Access::StreamTaken { .. } => "stream",
        };
        CollectError::Mismatch(format!("the key `{name}` is a {found}, and is mapped as a {mapped}"))
    }

    async fn ask<T: FromRedisValue>(&mut self, command: &Cmd) -> Result<T, RedisError> {
        command.query_async(&mut self.connection).await
    }

    /// Whether another chunk may be read after `count` members.
    fn has_room(&self, count: usize) -> bool {
        count < self.max_members && self.bytes_left > 0
    }

    fn chunk(&self, count: usize) -> usize {
        CHUNK.min(self.max_members - count)
    }

    /// A member that is a payload.
    fn member(&mut self, payload: &[u8]) -> Member {
        self.bytes_left = self.bytes_left.saturating_sub(payload.len());
        let facts = self.payloads.read(payload);
        Member {
            identity: facts.id.clone(),
            facts: Some(facts),
            score: None,
            since: None,
            created_at: None,
            held: None,
            payload: self.with_payloads.then(|| payload.to_vec()),
        }
    }

    async fn zset(
        &mut self,
        key: &str,
        highest_first: bool,
        meaning: ScoreMeaning,
    ) -> Result<Reading, RedisError> {
        let depth = self.ask(redis::cmd("ZCARD").arg(key)).await?;
        let mut reading = Reading { depth, ..Reading::default() };
        let command = if highest_first { "ZREVRANGE" } else { "ZRANGE" };
        while self.has_room(reading.members.len()) {
            let start = reading.members.len();
            let chunk = self.chunk(start);
            let range =
                redis::cmd(command).arg(key).arg(start).arg(start + chunk - 1).arg("WITHSCORES").clone();
            let found: Vec<(Vec<u8>, f64)> = self.ask(&range).await?;
            let end = found.len() < chunk;
            for (payload, score) in found {
                let since = (meaning == ScoreMeaning::Time)
                    .then(|| Timestamp::from_epoch_number(score).ok())
                    .flatten();
                let member = self.member(&payload);
                reading.members.push(Member { score: Some(score), since, created_at: since, ..member });
            }
            if end {
                reading.whole = true;
                return Ok(reading);
            }
        }
        reading.whole = reading.members.len() as u64 >= depth;
        Ok(reading)
    }

    async fn list(&mut self, key: &str, tail_first: bool) -> Result<Reading, RedisError> {
        let depth = self.ask(redis::cmd("LLEN").arg(key)).await?;
        let mut reading = Reading { depth, ..Reading::default() };
        while self.has_room(reading.members.len()) {
            let done = i64::try_from(reading.members.len()).unwrap_or(i64::MAX);
            let chunk = self.chunk(reading.members.len());
            let length = i64::try_from(chunk).unwrap_or(i64::MAX);
            let (from, to) =
                if tail_first { (-(done + length), -(done + 1)) } else { (done, done + length - 1) };
            let mut found: Vec<Vec<u8>> = self.ask(redis::cmd("LRANGE").arg(key).arg(from).arg(to)).await?;
            if tail_first {
                found.reverse();
            }
            let end = found.len() < chunk;
            for payload in found {
                let member = self.member(&payload);
                reading.members.push(member);
            }
            if end {
                reading.whole = true;
                return Ok(reading);
            }
        }
        reading.whole = reading.members.len() as u64 >= depth;
        Ok(reading)
    }

    async fn set(&mut self, key: &str) -> Result<Reading, RedisError> {
        let depth = self.ask(redis::cmd("SCARD").arg(key)).await?;
        let mut reading = Reading { depth, ..Reading::default() };
        let mut cursor = 0u64;
        while self.has_room(reading.members.len()) {
            let scan = redis::cmd("SSCAN").arg(key).arg(cursor).arg("COUNT").arg(CHUNK).clone();
            let (next, found): (u64, Vec<Vec<u8>>) = self.ask(&scan).await?;
            for payload in found {
                let member = self.member(&payload);
                reading.members.push(member);
            }
            cursor = next;
            if cursor == 0 {
                reading.whole = true;
                break;
            }
        }
        Ok(reading)
    }

    /// Entries from `start` on. `depth` is the stream's length when it is not known already.
    async fn stream(
        &mut self,
        key: &str,
        start: String,
        depth: Option<u64>,
        field: Option<&str>,
    ) -> Result<Reading, RedisError> {
        let depth = match depth {
            Some(depth) => depth,
            None => self.ask(redis::cmd("XLEN").arg(key)).await?,
        };
        let mut reading = Reading { depth, ..Reading::default() };
        let mut start = start;
        while self.has_room(reading.members.len()) {
            let chunk = self.chunk(reading.members.len());
            let range = redis::cmd("XRANGE").arg(key).arg(&start).arg("+").arg("COUNT").arg(chunk).clone();
            let found: Vec<Entry> = self.ask(&range).await?;
            let end = found.len() < chunk;
            for (id, fields) in found {
                start = format!("({id}");
                let bytes: usize = fields.iter().map(|(_, value)| value.len()).sum();
                self.bytes_left = self.bytes_left.saturating_sub(bytes);
                let facts = self.payloads.read_entry(&fields, field);
                let created_at = entry_time(&id);
                let since = created_at;
                reading.members.push(Member {
                    identity: id,
                    facts: Some(facts),
                    score: None,
                    since,
                    created_at,
                    held: None,
                    payload: None,
                });
            }
            if end {
                reading.whole = true;
                return Ok(reading);
            }
        }
        Ok(reading)
    }

    /// Entries that were not delivered to `group` yet. The length of the stream is no backlog: entries
    /// stay in it when they are done.
    async fn undelivered(
        &mut self,
        key: &Key,
        group: &str,
        field: Option<&str>,
    ) -> Result<Reading, CollectError> {
        let name = &key.name;
        let exists: Result<bool, _> = self.ask(redis::cmd("EXISTS").arg(name)).await;
        match exists {
            Ok(true) => {}
            Ok(false) => return Ok(Reading { whole: true, ..Reading::default() }),
            Err(error) => return Err(self.explain(key, error).await),
        }
        let groups: Result<Vec<std::collections::HashMap<String, redis::Value>>, _> =
            self.ask(redis::cmd("XINFO").arg("GROUPS").arg(name)).await;
        let groups = match groups {
            Ok(groups) => groups,
            Err(error) => return Err(self.explain(key, error).await),
        };
        let text = |value: Option<&redis::Value>| {
            value.and_then(|value| String::from_redis_value_ref(value).ok()).unwrap_or_default()
        };
        let Some(found) = groups.iter().find(|found| text(found.get("name")) == group) else {
            return Err(CollectError::Mismatch(format!(
                "the stream `{name}` does not have the group `{group}`"
            )));
        };
        let start = format!("({}", text(found.get("last-delivered-id")));
        // Redis cannot always tell the lag (after XDEL, before 7.0): then what is read is counted, or,
        // when there is more than is read, the whole stream.
        let lag = found.get("lag").and_then(|lag| Option::<u64>::from_redis_value_ref(lag).ok().flatten());
        let read = self.stream(name, start, lag, field).await;
        let mut reading = match read {
            Ok(reading) => reading,
            Err(error) => return Err(self.explain(key, error).await),
        };
        if lag.is_none() && reading.whole {
            reading.depth = reading.members.len() as u64;
        }
        Ok(reading)
    }

    /// Entries that were delivered to `group` and are not acknowledged, longest idle first.
    async fn taken(&mut self, key: &str, group: &str) -> Result<Reading, RedisError> {
        type Summary = (u64, Option<String>, Option<String>, Option<redis::Value>);
        if !self.ask::<bool>(redis::cmd("EXISTS").arg(key)).await? {
            return Ok(Reading { whole: true, ..Reading::default() });
        }
        let (depth, ..): Summary = self.ask(redis::cmd("XPENDING").arg(key).arg(group)).await?;
        let mut reading = Reading { depth, ..Reading::default() };
        let list = redis::cmd("XPENDING").arg(key).arg(group).arg("-").arg("+").arg(self.max_members).clone();
        let found: Vec<(String, String, u64, u64)> = self.ask(&list).await?;
        reading.whole = found.len() < self.max_members;
        reading.members = found
            .into_iter()
            .map(|(id, consumer, idle_ms, deliveries)| Member {
                created_at: entry_time(&id),
                since: Some(self.now.before(std::time::Duration::from_millis(idle_ms))),
                identity: id,
                facts: None,
                score: None,
                held: Some(Held { consumer, deliveries }),
                payload: None,
            })
            .collect();
        Ok(reading)
    }
}

/// When a stream's entry was added: its id begins with the time in milliseconds.
fn entry_time(id: &str) -> Option<Timestamp> {
    let millis: i64 = id.split('-').next()?.parse().ok()?;
    Some(Timestamp::from_millis(millis))
}
