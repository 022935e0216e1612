//! From a command line to what may be kept of it: secrets masked, and a name that tells programs of
//! one interpreter apart.

use std::sync::LazyLock;

use ingest::{Redaction, Redactor};
use regex::Regex;

/// What stands in place of a secret.
const MASK: &str = "***";
/// How much of a command line is kept, in bytes.
const MAX_COMMAND_BYTES: usize = 512;
/// How much of a name is kept, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Options and variables whose value is a secret, by how their name ends.
static SECRET_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?i)(pass(word|wd|phrase)?|pwd|secret|token|api[-_]?key|(access|private|secret)[-_]?key|credentials?)$";
    Regex::new(pattern).expect("a fixed pattern that the tests compile")
});

/// Short options whose value is a secret, by program.
const SECRET_OPTIONS: [(&str, &str); 5] =
    [("redis-cli", "-a"), ("sshpass", "-p"), ("curl", "-u"), ("curl", "--user"), ("mongosh", "-p")];

/// Makes command lines fit to be kept.
pub(crate) struct Masker {
    redactor: Option<Redactor>,
}

impl Masker {
    pub(crate) fn new() -> Self {
        Self { redactor: Redactor::new(&Redaction::default()).ok() }
    }

    /// The command line with every secret replaced, cut to a bounded length.
    pub(crate) fn mask(&self, arguments: &[String]) -> String {
        let arguments = split_title(arguments);
        let program = arguments.first().map(|path| base_name(path)).unwrap_or_default();
        let mut parts: Vec<String> = Vec::with_capacity(arguments.len());
        let mut value_is_secret = false;
        for argument in &arguments {
            if std::mem::take(&mut value_is_secret) {
                parts.push(MASK.to_owned());
            } else if let Some((name, _)) = argument.split_once('=').filter(|(name, _)| is_secret_name(name))
            {
                parts.push(format!("{name}={MASK}"));
            } else {
                value_is_secret = argument.starts_with('-') && is_secret_name(argument)
                    || SECRET_OPTIONS.contains(&(program, argument.as_str()));
                parts.push((*argument).clone());
            }
        }
        let mut command = parts.join(" ");
        if let Some(redactor) = &self.redactor {
            command = redactor.redact(&command, |_| {}).into_owned();
        }
        cut(command, MAX_COMMAND_BYTES)
    }
}

fn is_secret_name(name: &str) -> bool {
    // Long texts are no names, and a value with `=` in it must not cost more than its start.
    name.len() <= 64 && SECRET_NAME.is_match(name)
}

/// A process that has rewritten its title shows one argument with everything in it.
fn split_title(arguments: &[String]) -> Vec<String> {
    match arguments {
        [title] => title.split_whitespace().map(str::to_owned).collect(),
        _ => arguments.to_vec(),
    }
}

/// What to call a process: its program; for an interpreter, the script or module that it runs.
pub(crate) fn display_name(arguments: &[String], comm: &str) -> String {
    let arguments = split_title(arguments);
    let Some(program) = arguments.first().map(|path| base_name(path)) else { return comm.to_owned() };
    let name = if is_interpreter(program) { script(&arguments[1..]) } else { None };
    cut(name.unwrap_or(comm).to_owned(), MAX_NAME_BYTES)
}

fn is_interpreter(program: &str) -> bool {
    let stem = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    ["python", "pypy", "node", "ruby", "perl", "java"].contains(&stem)
}

/// The script, or the module after `-m`; nothing for `-c` and the like.
fn script(arguments: &[String]) -> Option<&str> {
    let mut arguments = arguments.iter();
    loop {
        let argument = arguments.next()?;
        match argument.as_str() {
            "-m" => return arguments.next().map(String::as_str),
            // Python's options that take a value.
            "-X" | "-W" => {
                arguments.next();
            }
            "-c" | "-e" => return None,
            option if option.starts_with('-') => {}
            path => return Some(base_name(path)),
        }
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn cut(mut text: String, bytes: usize) -> String {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn secrets_on_command_lines_are_masked() {
        let masker = Masker::new();
        let cases = [
            ("worker --password hunter2 --fast", "worker --password *** --fast"),
            ("worker --db-password=hunter2 x", "worker --db-password=*** x"),
            ("env API_KEY=hunter2 python app.py", "env API_KEY=*** python app.py"),
            ("redis-server --requirepass hunter2", "redis-server --requirepass ***"),
            ("/usr/bin/redis-cli -a hunter2 info", "/usr/bin/redis-cli -a *** info"),
            ("serve --token-limit 5 --tokens 4", "serve --token-limit 5 --tokens 4"),
        ];
        for (line, masked) in cases {
            assert_eq!(masker.mask(&arguments(line)), masked);
        }
        for line in [
            "celery -b redis://:hunter2hunter2@localhost:6379/0 worker",
            "curl -H Authorization: Bearer hunter2hunter2",
            "python app.py sk-hunter2hunter2hunter2",
        ] {
            assert!(!masker.mask(&arguments(line)).contains("hunter2"), "{line}");
        }
        let title = ["app: worker --password hunter2 (idle)".to_owned()];
        assert_eq!(masker.mask(&title), "app: worker --password *** (idle)");
    }

    #[test]
    fn a_command_line_of_any_length_is_cut() {
        let masked = Masker::new().mask(&vec!["é".repeat(100); 100]);
        assert!(masked.len() <= MAX_COMMAND_BYTES + "…".len());
    }

    #[test]
    fn programs_of_one_interpreter_have_names_of_their_own() {
        let cases = [
            ("/usr/bin/python3 -m app.worker --queue a", "app.worker"),
            ("python3.11 -u -X dev /srv/app/worker.py", "worker.py"),
            ("/usr/bin/python3 /usr/local/bin/celery -A app worker", "celery"),
            ("python3 -c print(1)", "comm"),
            ("node server.js", "server.js"),
            ("/usr/bin/redis-server *:6379", "comm"),
            ("", "comm"),
        ];
        for (line, name) in cases {
            assert_eq!(display_name(&arguments(line), "comm"), name, "{line}");
        }
    }
}
