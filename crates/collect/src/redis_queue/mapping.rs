//! How a queue lies in Redis: the configuration, as written and as checked.

use std::collections::HashMap;

use serde_json::value::RawValue;

/// A queue in Redis: an entry of `[[redis.queues]]`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct QueueConfig {
    /// The queue's name: the value of the label `queue`.
    pub name: String,
    /// Where tasks wait.
    pub pending: Option<KeyConfig>,
    /// Where tasks are that somebody took.
    pub processing: Option<KeyConfig>,
    /// Where tasks wait for a time to come.
    pub delayed: Option<KeyConfig>,
    /// Where tasks end that were given up.
    pub dead: Option<KeyConfig>,
    /// Where results appear.
    pub results: Option<ResultsConfig>,
    /// Where in a dead letter the task itself stands: `.` when the letter is the task, else a path.
    /// Without it dead letters can be removed, but not queued again.
    pub dead_task: Option<String>,
    /// Where in a task's JSON its facts stand.
    pub fields: FieldPaths,
    /// The most members read of one key in a pass; of longer queues the rest is only counted.
    pub max_members: MaxMembers,
}

/// A number of members, with its default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct MaxMembers(pub usize);

impl MaxMembers {
    /// More would not fit into what is remembered of a queue.
    pub const HIGHEST: usize = 5_000;
}

impl Default for MaxMembers {
    fn default() -> Self {
        Self(1_000)
    }
}

/// One key of a queue.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// The key.
    pub key: String,
    /// What Redis keeps there.
    #[serde(rename = "type")]
    pub kind: KeyType,
    /// At which end the oldest task (in a sorted set: the next one) is. By default the tail of a list
    /// and the lowest score of a sorted set.
    #[serde(default)]
    pub oldest: Option<OldestEnd>,
    /// What the score of a sorted set means; by default `due` for delayed tasks, else `priority`.
    #[serde(default)]
    pub score: Option<ScoreMeaning>,
    /// The consumer group of a stream.
    #[serde(default)]
    pub group: Option<String>,
    /// The field of a stream's entries that holds the task's JSON; by default the fields themselves
    /// are the task.
    #[serde(default)]
    pub field: Option<String>,
}

/// What Redis keeps at a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyType {
    /// A sorted set.
    Zset,
    /// A set.
    Set,
    /// A list.
    List,
    /// A stream.
    Stream,
}

impl KeyType {
    /// The type as Redis' `TYPE` names it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Zset => "zset",
            Self::Set => "set",
            Self::List => "list",
            Self::Stream => "stream",
        }
    }
}

/// The end of a list or sorted set at which the oldest task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OldestEnd {
    /// The lowest score.
    LowScore,
    /// The highest score.
    HighScore,
    /// The left end: `RPUSH` and `LPOP`.
    Head,
    /// The right end: `LPUSH` and `RPOP`.
    Tail,
}

/// What the score of a sorted set means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScoreMeaning {
    /// An order, which says nothing about time.
    Priority,
    /// When the task came here, as a Unix time.
    Time,
    /// When the task will be due, as a Unix time.
    Due,
}

/// Where results appear, one key for each task.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultsConfig {
    /// The keys: a prefix and `*`.
    pub pattern: String,
    /// Where in the key the task's id stands.
    #[serde(default)]
    pub id_from: IdFrom,
    /// Where in the result's JSON a failure shows: the task has failed when there is anything there
    /// but null, false or an empty text. Without it every result is a success.
    #[serde(default)]
    pub failed_path: Option<String>,
    /// When given, the task has failed only when one of these texts is at `failed_path`.
    #[serde(default)]
    pub failed_values: Vec<String>,
}

/// Where in a result's key the task's id stands.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum IdFrom {
    /// It is what stands in place of the `*`.
    #[default]
    Suffix,
    /// It is the whole key.
    Key,
}

/// Where in a task's JSON its facts stand: names joined by dots, `task_id` or `$.meta.task.id`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FieldPaths {
    /// Its id. A member that is no JSON object is an id itself.
    pub id: String,
    /// Its kind.
    pub kind: Option<String>,
    /// Its document.
    pub document: Option<String>,
    /// Its priority, a number.
    pub priority: Option<String>,
    /// When it was made: RFC 3339 (without an offset: UTC) or a Unix time.
    pub created: Option<String>,
}

impl Default for FieldPaths {
    fn default() -> Self {
        Self { id: "id".to_owned(), kind: None, document: None, priority: None, created: None }
    }
}

/// A section `[[redis]]` or `[[redis.queues]]` that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingError {
    /// The address is none, or one that this program cannot speak to.
    #[error("redis `{name}`: {problem}")]
    Server {
        /// The server, by name or place.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A queue's mapping makes no sense.
    #[error("queue `{queue}`: {problem}")]
    Queue {
        /// The queue, by name or place.
        queue: String,
        /// What is wrong, and what to write.
        problem: String,
    },
}

/// A path into JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Path(Vec<String>);

impl Path {
    fn parse(text: &str) -> Result<Self, String> {
        let names = text.strip_prefix("$.").unwrap_or(text);
        if names.is_empty() || names.split('.').any(str::is_empty) {
            return Err(format!("`{text}` is not a path: write names joined by dots, like task.id"));
        }
        Ok(Self(names.split('.').map(str::to_owned).collect()))
    }

    /// What stands there. Numbers in a path count into arrays, from 0.
    pub(crate) fn find<'a>(&self, value: &'a serde_json::Value) -> Option<&'a serde_json::Value> {
        self.0.iter().try_fold(value, |value, name| match value {
            serde_json::Value::Array(items) => items.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        })
    }

    /// What stands there, byte by byte as it was written.
    pub(crate) fn cut<'a>(&self, json: &'a [u8]) -> Option<&'a RawValue> {
        let whole: &RawValue = serde_json::from_slice(json).ok()?;
        self.0.iter().try_fold(whole, |value, name| match value.get().as_bytes().first()? {
            b'[' => {
                let items: Vec<&RawValue> = serde_json::from_str(value.get()).ok()?;
                items.get(name.parse::<usize>().ok()?).copied()
            }
            b'{' => {
                let fields: HashMap<String, &RawValue> = serde_json::from_str(value.get()).ok()?;
                fields.get(name).copied()
            }
            _ => None,
        })
    }
}

/// The checked form of [`FieldPaths`].
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) id: Path,
    pub(crate) kind: Option<Path>,
    pub(crate) document: Option<Path>,
    pub(crate) priority: Option<Path>,
    pub(crate) created: Option<Path>,
}

/// A key, and how to read it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Key {
    pub(crate) name: String,
    pub(crate) access: Access,
}

/// How to read a key, oldest first.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Access {
    Zset {
        highest_first: bool,
        score: ScoreMeaning,
    },
    Set,
    List {
        tail_first: bool,
    },
    /// Entries of a stream; with a group, those that were not delivered to it yet.
    StreamWaiting {
        group: Option<String>,
        field: Option<String>,
    },
    /// Entries that were delivered to the group and not acknowledged.
    StreamTaken {
        group: String,
    },
}

/// The checked form of [`ResultsConfig`].
#[derive(Clone, Debug)]
pub(crate) struct Results {
    pub(crate) pattern: String,
    pub(crate) prefix: String,
    pub(crate) id_from: IdFrom,
    pub(crate) failed_path: Option<Path>,
    pub(crate) failed_values: Vec<String>,
}

impl Results {
    /// The key of a task's result.
    pub(crate) fn key_of(&self, id: &str) -> String {
        match self.id_from {
            IdFrom::Suffix => format!("{}{id}", self.prefix),
            IdFrom::Key => id.to_owned(),
        }
    }

    /// The task whose result has this key.
    pub(crate) fn id_of<'a>(&self, key: &'a str) -> Option<&'a str> {
        match self.id_from {
            IdFrom::Suffix => key.strip_prefix(&self.prefix).filter(|id| !id.is_empty()),
            IdFrom::Key => Some(key),
        }
    }

    /// Whether a result says that its task has failed.
    pub(crate) fn is_failure(&self, value: &serde_json::Value) -> bool {
        let Some(found) = self.failed_path.as_ref().and_then(|path| path.find(value)) else { return false };
        if self.failed_values.is_empty() {
            !matches!(found, serde_json::Value::Null | serde_json::Value::Bool(false)) && *found != ""
        } else {
            self.failed_values.iter().any(|text| *found == text.as_str())
        }
    }
}

/// The checked form of [`QueueConfig`].
#[derive(Clone, Debug)]
pub(crate) struct Mapping {
    pub(crate) name: String,
    pub(crate) pending: Option<Key>,
    pub(crate) processing: Option<Key>,
    pub(crate) delayed: Option<Key>,
    pub(crate) dead: Option<Key>,
    pub(crate) dead_task: Option<DeadTask>,
    /// Whether a task is JSON. Otherwise a member that is a bare id is the whole task.
    pub(crate) has_payloads: bool,
    pub(crate) results: Option<Results>,
    pub(crate) paths: Paths,
    pub(crate) max_members: usize,
}

impl Mapping {
    /// Checks a queue's configuration.
    pub(crate) fn new(config: &QueueConfig) -> Result<Self, MappingError> {
        Self::checked(config).map_err(|problem| MappingError::Queue { queue: config.name.clone(), problem })
    }

    fn checked(config: &QueueConfig) -> Result<Self, String> {
        let role = |role: Role, key: &Option<KeyConfig>| {
            key.as_ref()
                .map(|key| checked_key(role, key).map_err(|problem| format!("{}: {problem}", role.name())))
        };
        if config.name.is_empty() {
            return Err("it has no name: write name = \"…\"".to_owned());
        }
        let pending = role(Role::Pending, &config.pending).transpose()?;
        let mut processing = role(Role::Processing, &config.processing).transpose()?;
        // A stream's group tells of both: what waits and what was taken.
        if let (None, Some(Key { name, access: Access::StreamWaiting { group: Some(group), .. } })) =
            (&processing, &pending)
        {
            let access = Access::StreamTaken { group: group.clone() };
            processing = Some(Key { name: name.clone(), access });
        }
        if pending.is_none() && processing.is_none() {
            return Err("neither pending nor processing is mapped: there is nothing to watch".to_owned());
        }
        if !(1..=MaxMembers::HIGHEST).contains(&config.max_members.0) {
            return Err(format!("max_members must be 1 to {}", MaxMembers::HIGHEST));
        }
        let path = |path: &Option<String>| path.as_deref().map(Path::parse).transpose();
        let fields = &config.fields;
        Ok(Self {
            name: config.name.clone(),
            pending,
            processing,
            delayed: role(Role::Delayed, &config.delayed).transpose()?,
            dead: role(Role::Dead, &config.dead).transpose()?,
            dead_task: config.dead_task.as_deref().map(dead_task).transpose()?,
            has_payloads: config.fields != FieldPaths::default(),
            results: config.results.as_ref().map(checked_results).transpose()?,
            paths: Paths {
                id: Path::parse(&fields.id)?,
                kind: path(&fields.kind)?,
                document: path(&fields.document)?,
                priority: path(&fields.priority)?,
                created: path(&fields.created)?,
            },
            max_members: config.max_members.0,
        })
    }
}

/// Where in a dead letter the task itself stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DeadTask {
    /// The letter is the task.
    Whole,
    /// Something in it is.
    At(Path),
}

fn dead_task(text: &str) -> Result<DeadTask, String> {
    if text == "." {
        return Ok(DeadTask::Whole);
    }
    Path::parse(text).map(DeadTask::At).map_err(|problem| format!("dead_task: {problem}"))
}

/// Which of a queue's keys is meant.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Pending,
    Processing,
    Delayed,
    Dead,
}

impl Role {
    const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Delayed => "delayed",
            Self::Dead => "dead",
        }
    }
}

fn checked_key(role: Role, config: &KeyConfig) -> Result<Key, String> {
    if config.key.is_empty() {
        return Err("it has no key".to_owned());
    }
    let only_for = |kind: KeyType, given: bool, what: &str| {
        if given && config.kind != kind {
            return Err(format!("{what} is for a {}, and this is a {}", kind.as_str(), config.kind.as_str()));
        }
        Ok(())
    };
    only_for(KeyType::Zset, config.score.is_some(), "score")?;
    only_for(KeyType::Stream, config.group.is_some(), "group")?;
    only_for(KeyType::Stream, config.field.is_some(), "field")?;
    let access = match (config.kind, config.oldest) {
        (KeyType::Zset, None | Some(OldestEnd::LowScore | OldestEnd::HighScore)) => {
            let default = if role == Role::Delayed { ScoreMeaning::Due } else { ScoreMeaning::Priority };
            Access::Zset {
                highest_first: config.oldest == Some(OldestEnd::HighScore),
                score: config.score.unwrap_or(default),
            }
        }
        (KeyType::Zset, _) => return Err("oldest of a zset is low_score or high_score".to_owned()),
        (KeyType::List, None | Some(OldestEnd::Head | OldestEnd::Tail)) => {
            Access::List { tail_first: config.oldest != Some(OldestEnd::Head) }
        }
        (KeyType::List, _) => return Err("oldest of a list is head or tail".to_owned()),
        (KeyType::Set | KeyType::Stream, Some(_)) => {
            return Err(format!("a {} has no oldest end to choose", config.kind.as_str()));
        }
        (KeyType::Set, None) => Access::Set,
        (KeyType::Stream, None) if role == Role::Processing => match config.group.clone() {
            Some(group) => Access::StreamTaken { group },
            None => return Err("a stream tells what is being processed only by its group".to_owned()),
        },
        (KeyType::Stream, None) => {
            Access::StreamWaiting { group: config.group.clone(), field: config.field.clone() }
        }
    };
    Ok(Key { name: config.key.clone(), access })
}

fn checked_results(config: &ResultsConfig) -> Result<Results, String> {
    let shape = || format!("results: `{}` is not a prefix and `*`, like llm_results:*", config.pattern);
    let prefix = config.pattern.strip_suffix('*').ok_or_else(shape)?;
    // With these, Redis would take the prefix for a pattern of its own.
    if prefix.contains(['*', '?', '[', ']', '\\']) {
        return Err(shape());
    }
    if config.failed_path.is_none() && !config.failed_values.is_empty() {
        return Err("results: failed_values needs a failed_path".to_owned());
    }
    Ok(Results {
        pattern: config.pattern.clone(),
        prefix: prefix.to_owned(),
        id_from: config.id_from,
        failed_path: config.failed_path.as_deref().map(Path::parse).transpose()?,
        failed_values: config.failed_values.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: KeyType) -> KeyConfig {
        KeyConfig { key: "k".to_owned(), kind, oldest: None, score: None, group: None, field: None }
    }

    fn queue(pending: KeyConfig) -> QueueConfig {
        QueueConfig { name: "q".to_owned(), pending: Some(pending), ..QueueConfig::default() }
    }

    #[test]
    fn a_mapping_that_makes_no_sense_is_refused_in_plain_words() {
        let results = |pattern: &str| {
            let results = ResultsConfig {
                pattern: pattern.to_owned(),
                id_from: IdFrom::Suffix,
                failed_path: None,
                failed_values: Vec::new(),
            };
            QueueConfig { results: Some(results), ..queue(key(KeyType::List)) }
        };
        let processing = QueueConfig { processing: Some(key(KeyType::Stream)), ..queue(key(KeyType::List)) };
        let path = FieldPaths { id: "a..b".to_owned(), ..FieldPaths::default() };
        let cases = [
            (QueueConfig::default(), "queue ``: it has no name"),
            (
                QueueConfig { name: "q".to_owned(), ..QueueConfig::default() },
                "neither pending nor processing",
            ),
            (
                queue(KeyConfig { oldest: Some(OldestEnd::Head), ..key(KeyType::Zset) }),
                "low_score or high_score",
            ),
            (queue(KeyConfig { oldest: Some(OldestEnd::LowScore), ..key(KeyType::List) }), "head or tail"),
            (queue(KeyConfig { oldest: Some(OldestEnd::Head), ..key(KeyType::Set) }), "no oldest end"),
            (queue(KeyConfig { group: Some("g".to_owned()), ..key(KeyType::List) }), "group is for a stream"),
            (queue(KeyConfig { key: String::new(), ..key(KeyType::List) }), "pending: it has no key"),
            (processing, "only by its group"),
            (results("llm_results"), "is not a prefix and `*`"),
            (results("a*b*"), "is not a prefix and `*`"),
            (QueueConfig { fields: path, ..queue(key(KeyType::List)) }, "`a..b` is not a path"),
            (QueueConfig { max_members: MaxMembers(0), ..queue(key(KeyType::List)) }, "must be 1 to 5000"),
        ];
        for (config, problem) in cases {
            let text = Mapping::new(&config).expect_err(problem).to_string();
            assert!(text.contains(problem), "`{text}` does not say `{problem}`");
        }
    }

    #[test]
    fn a_streams_group_tells_of_processing_too() {
        let mapping = Mapping::new(&queue(KeyConfig { group: Some("g".to_owned()), ..key(KeyType::Stream) }));
        let processing = mapping.unwrap().processing.unwrap();
        assert_eq!(processing.access, Access::StreamTaken { group: "g".to_owned() });
    }

    #[test]
    fn paths_reach_into_objects_and_arrays() {
        let value = serde_json::json!({"task": {"ids": ["a", "b"]}, "error": ""});
        let find = |path: &str| Path::parse(path).unwrap().find(&value).cloned();
        assert_eq!(find("$.task.ids.1"), Some("b".into()));
        assert_eq!(find("task.nothing"), None);
        assert_eq!(find("error"), Some("".into()));
    }
}
