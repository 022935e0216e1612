//! Moves tasks inside of Redis. Each script is one step that nobody sees half done, and looks first
//! whether a task is still where it was.
//!
//! `WATCH` and `MULTI` were rejected: the connection is shared with the collectors, and a queue that
//! moves would break every attempt.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError};

use super::route::{Route, task_in};
use super::select::Candidate;
use crate::collector::CollectError;
use crate::redis_queue::mapping::{Access, Key};
use crate::redis_server::read_error;

/// Tasks moved in one step: a script holds up everybody else.
const CHUNK: usize = 50;
/// Bytes of payloads sent with one step.
const MAX_BYTES: usize = 4 << 20;

/// Takes members out. Keys: from. Arguments: the type of from, then the members.
const REMOVE: &str = r"
local done = {}
for i = 2, #ARGV do
  local n
  if ARGV[1] == 'zset' then n = redis.call('ZREM', KEYS[1], ARGV[i])
  elseif ARGV[1] == 'set' then n = redis.call('SREM', KEYS[1], ARGV[i])
  else n = redis.call('LREM', KEYS[1], 1, ARGV[i]) end
  done[#done + 1] = n
end
return done";

/// Moves members. Keys: from, to. Arguments: the types of both, the command that puts a task at the end
/// of a list from which it is taken next, then for each task the member and the task in it.
///
/// The type of the target is looked at first: a script that fails is not taken back, so nothing may
/// fail between taking out and putting in.
const MOVE: &str = r"
local there = redis.call('TYPE', KEYS[2]).ok
if there ~= 'none' and there ~= ARGV[2] then
  return redis.error_reply('WRONGTYPE the pending key is a ' .. there)
end
local done = {}
for i = 4, #ARGV, 2 do
  local n, score
  if ARGV[1] == 'zset' then
    score = redis.call('ZSCORE', KEYS[1], ARGV[i])
    n = redis.call('ZREM', KEYS[1], ARGV[i])
  elseif ARGV[1] == 'set' then n = redis.call('SREM', KEYS[1], ARGV[i])
  else n = redis.call('LREM', KEYS[1], 1, ARGV[i]) end
  if n == 1 then
    if ARGV[2] == 'zset' then redis.call('ZADD', KEYS[2], 'NX', score, ARGV[i + 1])
    elseif ARGV[2] == 'set' then redis.call('SADD', KEYS[2], ARGV[i + 1])
    else redis.call(ARGV[3], KEYS[2], ARGV[i + 1]) end
  end
  done[#done + 1] = n
end
return done";

/// Removes entries that wait in a stream. Keys: the stream. Arguments: the group or nothing, then ids.
/// An entry that was delivered meanwhile stays: a worker has it.
const REMOVE_WAITING: &str = r"
local function above(a, b)
  if #a ~= #b then return #a > #b end
  return a > b
end
local function after(a, b)
  local am, as = string.match(a, '(%d+)-(%d+)')
  local bm, bs = string.match(b, '(%d+)-(%d+)')
  if am ~= bm then return above(am, bm) end
  return above(as, bs)
end
local last
if ARGV[1] ~= '' then
  local groups = redis.call('XINFO', 'GROUPS', KEYS[1])
  if #groups > 1 then return redis.error_reply('OTHERGROUPS the stream has other groups, which would lose these entries too') end
  for i = 1, #groups[1], 2 do
    if groups[1][i] == 'last-delivered-id' then last = groups[1][i + 1] end
  end
end
local done = {}
for i = 2, #ARGV do
  local n = 0
  if not last or after(ARGV[i], last) then n = redis.call('XDEL', KEYS[1], ARGV[i]) end
  done[#done + 1] = n
end
return done";

/// Ends entries that were delivered. Keys: the stream. Arguments: the group, `again` to add them anew,
/// then for each its id, the consumer that it was delivered to, and how often.
///
/// An entry that was delivered again since, or to another, has been taken up, and stays.
const END_TAKEN: &str = r"
local others = #redis.call('XINFO', 'GROUPS', KEYS[1]) > 1
if others and ARGV[2] == 'again' then
  return redis.error_reply('OTHERGROUPS the stream has other groups, which would see these entries twice')
end
local done = {}
for i = 3, #ARGV, 3 do
  local n = 0
  local held = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)[1]
  if held and held[2] == ARGV[i + 1] and tostring(held[4]) == ARGV[i + 2] then
    local entry = redis.call('XRANGE', KEYS[1], ARGV[i], ARGV[i])[1]
    if entry and ARGV[2] == 'again' then redis.call('XADD', KEYS[1], '*', unpack(entry[2])) end
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    if not others then redis.call('XDEL', KEYS[1], ARGV[i]) end
    if entry or ARGV[2] ~= 'again' then n = 1 end
  end
  done[#done + 1] = n
end
return done";

/// What became of tasks, by id.
#[derive(Debug, Default)]
pub(super) struct Acted {
    pub(super) done: Vec<String>,
    pub(super) gone: Vec<String>,
}

/// Does it, a few tasks at a time.
pub(super) async fn act(
    mut connection: MultiplexedConnection,
    route: &Route,
    mut candidates: Vec<Candidate>,
    acted: &mut Acted,
) -> Result<(), CollectError> {
    // The youngest first, so that the oldest comes to lie where it is taken next.
    if matches!(route, Route::Move { .. }) {
        candidates.reverse();
    }
    for chunk in chunks(&candidates) {
        let command = command(route, chunk);
        let answer: Result<Vec<i64>, RedisError> = command.query_async(&mut connection).await;
        let moved = answer.map_err(|error| read_error(format!("the key `{}`", route.from().name), &error))?;
        for (candidate, moved) in chunk.iter().zip(moved) {
            let ids = if moved == 1 { &mut acted.done } else { &mut acted.gone };
            ids.push(candidate.shown.id.clone());
        }
    }
    Ok(())
}

/// Few enough tasks for a step, with few enough bytes.
fn chunks(candidates: &[Candidate]) -> Vec<&[Candidate]> {
    let mut chunks = Vec::new();
    let (mut start, mut bytes) = (0, 0);
    for (index, candidate) in candidates.iter().enumerate() {
        let more = candidate.member.payload.as_ref().map_or(0, Vec::len) * 2;
        if index > start && (index - start >= CHUNK || bytes + more > MAX_BYTES) {
            chunks.push(&candidates[start..index]);
            (start, bytes) = (index, 0);
        }
        bytes += more;
    }
    if start < candidates.len() {
        chunks.push(&candidates[start..]);
    }
    chunks
}

fn command(route: &Route, candidates: &[Candidate]) -> Cmd {
    let member = |candidate: &Candidate| candidate.member.payload.clone().unwrap_or_default();
    match route {
        Route::Remove { from } => {
            let mut command = script(REMOVE, &[from]);
            command.arg(kind(from));
            for candidate in candidates {
                command.arg(member(candidate));
            }
            command
        }
        Route::Move { from, to, inside, .. } => {
            let mut command = script(MOVE, &[from, to]);
            let push = if to.access == (Access::List { tail_first: true }) { "RPUSH" } else { "LPUSH" };
            command.arg(kind(from)).arg(kind(to)).arg(push);
            for candidate in candidates {
                let member = member(candidate);
                // What has no task inside was refused when it was selected.
                let task = task_in(inside.as_ref(), &member).unwrap_or_default();
                command.arg(member).arg(task);
            }
            command
        }
        Route::RemoveEntries { from, group, taken: false } => {
            let mut command = script(REMOVE_WAITING, &[from]);
            command.arg(group.as_deref().unwrap_or_default());
            for candidate in candidates {
                command.arg(&candidate.member.identity);
            }
            command
        }
        Route::RemoveEntries { from, group, taken: true } => {
            ended(from, group.as_deref().unwrap_or_default(), "remove", candidates)
        }
        Route::AddEntriesAnew { from, group } => ended(from, group, "again", candidates),
    }
}

fn ended(from: &Key, group: &str, how: &str, candidates: &[Candidate]) -> Cmd {
    let mut command = script(END_TAKEN, &[from]);
    command.arg(group).arg(how);
    for candidate in candidates {
        let held = candidate.member.held.as_ref();
        command
            .arg(&candidate.member.identity)
            .arg(held.map_or("", |held| held.consumer.as_str()))
            .arg(held.map_or(0, |held| held.deliveries));
    }
    command
}

fn script(text: &str, keys: &[&Key]) -> Cmd {
    let mut command = redis::cmd("EVAL");
    command.arg(text).arg(keys.len());
    for key in keys {
        command.arg(&key.name);
    }
    command
}

fn kind(key: &Key) -> &'static str {
    match key.access {
        Access::Zset { .. } => "zset",
        Access::Set => "set",
        Access::List { .. } => "list",
        Access::StreamWaiting { .. } | Access::StreamTaken { .. } => "stream",
    }
}
