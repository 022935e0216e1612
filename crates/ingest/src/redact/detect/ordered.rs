//! Passwords in orders to programs and databases, which stand at no name: `mysql -uroot -p…`, `curl -u user:…`,
//! `sshpass -p …`, `redis-cli -a …`, `docker login -p …`, `openssl … pass:…`, `keytool -storepass …`, `AUTH` of Redis and
//! of SMTP, `IDENTIFIED BY '…'` and `PASSWORD '…'` of SQL. Shells, process lists and slow queries get into logs so.
//!
//! Not taken: the same letters after other programs, where they are something else (`ssh -p 2222`, `mkdir -p`).

use std::ops::Range;

use regex::Regex;

use super::super::trigger::After;
use super::{ASSIGNED_SECRET, RedactError, Trigger, compiled, value};

/// How far after a program its password may end, in bytes. It bounds what a text costs that names many programs.
const NEAR_BYTES: usize = 400;

/// What may stand between a program and its option: ASCII but for `;` and `|`, after which another order begins.
const BETWEEN: &str = "[ -:<-{}~]*?";
/// What may stand in a statement before its password: ASCII but for `;`.
const IN_STATEMENT: &str = "[ -:<-~]*?";

/// Programs, and what leads from each to a password on a command line or in a protocol.
const ORDERS: &[(&str, &str)] = &[
    // It follows at once; after a blank there would be a database.
    (r"\b(?:mysql[a-z_]*|mariadb(?:-[a-z]+)?)", r#"(?:[ "']BETWEEN)??[ "']-p"#),
    (r"\bcurl", r#"(?: BETWEEN)?? (?:-[uU][ =]?|--(?:proxy-)?user[ =])["']?[!#-&(-9;-~]+:"#),
    (r"\bsshpass", " -p ?"),
    (r"\bredis-cli", "(?: BETWEEN)?? (?:-a|--pass) "),
    (r"\b(?:docker|podman|nerdctl|buildah|oras|registry) login", "(?: BETWEEN)?? -p[ =]"),
    (r"\btwine upload", "(?: BETWEEN)?? -p "),
    (r"\bmongo(?:sh|dump|restore|export|import)?", "(?: BETWEEN)?? -p "),
    (r"\bldap(?:search|modify|add|delete|passwd|whoami)", "(?: BETWEEN)?? -w "),
    (" -pass(?:in|out)? pass:", ""),
    (" -(?:store|key)pass ", ""),
    // Base64 of a zero, a user, a zero and a password; the names of methods stand there too.
    (r"\bAUTH PLAIN A[DEFGH]", ""),
];

/// The same of statements, where it stands in quotes.
const STATEMENTS: &[(&str, &str)] = &[
    (
        r"(?i-u:\b(?:create|alter|grant)\b)",
        r"(?i-u: IN_STATEMENT\bidentified (?:with [a-z0-9_']+ )?by (?:password )?)",
    ),
    (r"(?i-u:\b(?:create|alter) (?:user|role))", r"(?i-u: IN_STATEMENT\bpassword )"),
    // What Redis is told, as it shows it; of two arguments the first is the user.
    (r#""AUTH""#, r#" (?:"[ !#-~]*" )?"#),
];

/// Words of which each order has one.
const WORDS: &[&str] = &[
    "mysql",
    "mariadb",
    "redis-cli",
    "mongo",
    "ldap",
    "docker login",
    "podman login",
    "nerdctl login",
    "buildah login",
    "oras login",
    "registry login",
    "twine upload",
    "password '",
    "password \"",
];
/// The same, where a blank follows.
const WORDS_BEFORE_BLANK: &[&str] = &["curl", "sshpass", "storepass", "keypass", "identified"];

pub(super) fn triggers() -> impl Iterator<Item = Trigger> {
    let words = WORDS.iter().map(|word| Trigger::folded(word, After::Any));
    let before_blank = WORDS_BEFORE_BLANK.iter().map(|word| Trigger::folded(word, After::Blank));
    // `pass:` has the trigger of the name `pass`.
    words.chain(before_blank).chain([Trigger::exact("AUTH")])
}

/// Finds passwords in orders.
pub(super) struct Ordered {
    orders: Vec<Order>,
}

/// A program, and what follows from its name to its password.
struct Order {
    program: Regex,
    password: Regex,
}

impl Ordered {
    pub(super) fn new() -> Result<Self, RedactError> {
        // Classes of ASCII, but for what stands in quotes.
        let quoted = r#"'(?P<single>(?u:[^'\r\n]+))'|"(?P<double>(?u:[^"\r\n]+))""#;
        let either = format!("{quoted}|(?P<bare>[!#-&(-:=?-{{}}~]+)");
        let orders = ORDERS.iter().map(|order| (order, either.as_str()));
        let statements = STATEMENTS.iter().map(|order| (order, quoted));
        let all = orders.chain(statements).map(|((program, lead), value)| -> Result<Order, RedactError> {
            let lead = lead.replace("BETWEEN", BETWEEN).replace("IN_STATEMENT", IN_STATEMENT);
            Ok(Order {
                program: compiled(ASSIGNED_SECRET, &format!("(?-u){program}"))?,
                password: compiled(ASSIGNED_SECRET, &format!("^(?-u){lead}(?:{value})"))?,
            })
        });
        Ok(Self { orders: all.collect::<Result<_, _>>()? })
    }

    /// Puts the places of what it finds, and what is not there yet, into a list.
    pub(super) fn find(&self, text: &str, into: &mut Vec<Range<usize>>) {
        for order in &self.orders {
            for program in order.program.find_iter(text) {
                let Some(range) = order.password_after(text, program.end()) else { continue };
                let is_known = into.iter().any(|one| one.start < range.end && range.start < one.end);
                if !is_known && !value::is_none(&text[range.clone()]) {
                    into.push(range);
                }
            }
        }
    }
}

impl Order {
    /// The password that belongs to the program whose name ends at a place.
    fn password_after(&self, text: &str, end: usize) -> Option<Range<usize>> {
        let near = &text[end..text.floor_char_boundary(end + NEAR_BYTES)];
        let found = self.password.captures(near)?;
        let value = ["single", "double", "bare"].into_iter().find_map(|group| found.name(group))?;
        Some(end + value.start()..end + value.end())
    }
}
