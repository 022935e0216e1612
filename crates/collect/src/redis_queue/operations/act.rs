//! Moves tasks inside of Redis. Each script is one step that nobody sees half done, and touches only a
//! task that is still where it was.
//!
//! `WATCH` and `MULTI` were rejected: the connection is shared with the collectors, and a queue that
//! moves would break every attempt.

use redis::aio::MultiplexedConnection;
use redis::{Cmd, RedisError};

use super::route::{Route, task_in};
use super::select::Candidate;
use crate::collector::CollectError;
use crate::redis_queue::mapping::{Access, Key};
use crate::redis_server::plain_error;

/// Tasks moved in one step: a script holds up everybody else.
const CHUNK: usize = 50;
/// Bytes of payloads sent with one step.
const MAX_BYTES: usize = 4 << 20;

/// A member that no key has. Taking it out does nothing, and is refused where taking out is refused:
/// what has been put in must never find that it cannot be taken out at the other end.
const NOBODY: &str = "\0watchkeeper: nobody\0";

/// What all scripts begin with. Each answers with why it stopped, or nothing, and with what became of
/// each task until there: 1 when it was done. Redis does not take back what a script did that fails half
/// way, so no error may hide it.
const ASK: &str = r"
local function ask(command, ...)
  local answer = redis.pcall(command, ...)
  if type(answer) == 'table' and answer.err then answer.err = command .. ': ' .. answer.err end
  return answer
end
local function err(answer) return type(answer) == 'table' and answer.err end
";

/// Takes members out. Keys: from. Arguments: the type of from, then the members.
const REMOVE: &str = r"
local done = {}
for i = 2, #ARGV do
  local n
  if ARGV[1] == 'zset' then n = ask('ZREM', KEYS[1], ARGV[i])
  elseif ARGV[1] == 'set' then n = ask('SREM', KEYS[1], ARGV[i])
  else n = ask('LREM', KEYS[1], 1, ARGV[i]) end
  if err(n) then return {err(n), done} end
  done[#done + 1] = n
end
return {'', done}";

/// Moves members. Keys: from, to. Arguments: the types of both, the command that puts a task at the end
/// of a list from which it is taken next, `NOBODY`, `first` in the first step of an operation, then for
/// each task the member and the task in it.
///
/// A task is put in before it is taken out, so that a refusal (no right to push, no memory) leaves it
/// where it was; when it turns out to be gone there, it is taken back from where it was put. That cannot
/// be with a sorted set, which is asked before: then nothing has to be taken from where tasks are put.
/// To try whether taking is refused goes through the whole of a list, so that is done in the first step.
const MOVE: &str = r"
local function take(key, kind, member, count)
  if kind == 'zset' then return ask('ZREM', key, member) end
  if kind == 'set' then return ask('SREM', key, member) end
  return ask('LREM', key, count, member)
end
local function put(task, score)
  if ARGV[2] == 'zset' then return ask('ZADD', KEYS[2], 'NX', score, task) end
  if ARGV[2] == 'set' then return ask('SADD', KEYS[2], task) end
  return ask(ARGV[3], KEYS[2], task)
end
local there = ask('TYPE', KEYS[2])
if err(there) then return {err(there), {}} end
if there.ok ~= 'none' and there.ok ~= ARGV[2] then
  return {'the pending key is a ' .. there.ok .. ', and is mapped as a ' .. ARGV[2], {}}
end
local function refused(key, kind)
  if kind == 'list' and ARGV[5] ~= 'first' then return nil end
  return err(take(key, kind, ARGV[4], 1))
end
local no = refused(KEYS[1], ARGV[1])
if not no and ARGV[1] ~= 'zset' then no = refused(KEYS[2], ARGV[2]) end
if no then return {no, {}} end
local done = {}
for i = 6, #ARGV, 2 do
  local n, score = 0, nil
  if ARGV[1] == 'zset' then score = ask('ZSCORE', KEYS[1], ARGV[i]) end
  if err(score) then return {err(score), done} end
  if ARGV[1] ~= 'zset' or score then
    local added = put(ARGV[i + 1], score)
    if err(added) then return {err(added), done} end
    n = take(KEYS[1], ARGV[1], ARGV[i], 1)
    if n ~= 1 and added ~= 0 then
      take(KEYS[2], ARGV[2], ARGV[i + 1], ARGV[3] == 'RPUSH' and -1 or 1)
    end
    if err(n) then return {err(n), done} end
  end
  done[#done + 1] = n
end
return {'', done}";

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
  local groups = ask('XINFO', 'GROUPS', KEYS[1])
  if err(groups) then return {err(groups), {}} end
  if #groups > 1 then return {'the stream has other groups, which would lose these entries too', {}} end
  for i = 1, #groups[1], 2 do
    if groups[1][i] == 'last-delivered-id' then last = groups[1][i + 1] end
  end
end
local done = {}
for i = 2, #ARGV do
  local n = 0
  if not last or after(ARGV[i], last) then n = ask('XDEL', KEYS[1], ARGV[i]) end
  if err(n) then return {err(n), done} end
  done[#done + 1] = n
end
return {'', done}";

/// Ends entries that were delivered. Keys: the stream. Arguments: the group, `again` to add them anew,
/// then for each its id, the consumer that it was delivered to, and how often.
///
/// An entry that was delivered again since, or to another, has been taken up, and stays. That entries
/// can be acknowledged, and deleted where no other group needs them, is tried first with an id that no
/// entry has, and one is added anew before it is acknowledged: so it is there once, whatever Redis refuses.
const END_TAKEN: &str = r"
local groups = ask('XINFO', 'GROUPS', KEYS[1])
if err(groups) then return {err(groups), {}} end
local others = #groups > 1
if others and ARGV[2] == 'again' then
  return {'the stream has other groups, which would see these entries twice', {}}
end
local no = err(ask('XACK', KEYS[1], ARGV[1], '0-0'))
if not no and not others then no = err(ask('XDEL', KEYS[1], '0-0')) end
if no then return {no, {}} end
local done = {}
for i = 3, #ARGV, 3 do
  local n = 0
  local held = ask('XPENDING', KEYS[1], ARGV[1], ARGV[i], ARGV[i], 1)
  if err(held) then return {err(held), done} end
  held = held[1]
  if held and held[2] == ARGV[i + 1] and tostring(held[4]) == ARGV[i + 2] then
    local entry = ask('XRANGE', KEYS[1], ARGV[i], ARGV[i])
    if err(entry) then return {err(entry), done} end
    entry = entry[1]
    if entry and ARGV[2] == 'again' then
      local added = ask('XADD', KEYS[1], '*', unpack(entry[2]))
      if err(added) then return {err(added), done} end
    end
    redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
    if not others then redis.call('XDEL', KEYS[1], ARGV[i]) end
    if entry or ARGV[2] ~= 'again' then n = 1 end
  end
  done[#done + 1] = n
end
return {'', done}";

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
    for (step, chunk) in chunks(&candidates).into_iter().enumerate() {
        let command = command(route, chunk, step == 0);
        let answer: Result<(String, Vec<i64>), RedisError> = command.query_async(&mut connection).await;
        let (stopped, moved) = answer.map_err(|error| refused(route, plain_error(&error)))?;
        for (candidate, moved) in chunk.iter().zip(moved) {
            let ids = if moved == 1 { &mut acted.done } else { &mut acted.gone };
            ids.push(candidate.shown.id.clone());
        }
        if !stopped.is_empty() {
            return Err(refused(route, stopped));
        }
    }
    Ok(())
}

fn refused(route: &Route, reason: String) -> CollectError {
    CollectError::Change { what: format!("the key `{}`", route.from().name), source: reason.into() }
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

fn command(route: &Route, candidates: &[Candidate], first: bool) -> Cmd {
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
            let step = if first { "first" } else { "further" };
            command.arg(kind(from)).arg(kind(to)).arg(push).arg(NOBODY).arg(step);
            for candidate in candidates {
                let member = member(candidate);
                // What has no task inside was left out when it was selected.
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
    command.arg(format!("{ASK}{text}")).arg(keys.len());
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
