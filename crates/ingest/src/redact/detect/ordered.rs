//! Passwords in orders to programs and databases, which stand at no name: `mysql -uroot -p…`, `curl -u user:…`,
//! `sshpass -p …`, `redis-cli -a …`, `docker login -p …`, `openssl … pass:…`, `keytool -storepass …`, `AUTH` of Redis and
//! of SMTP, `IDENTIFIED BY '…'` and `PASSWORD '…'` of SQL. Shells, process lists and slow queries get into logs so.
//!
//! Not taken: the same letters after other programs, where they are something else (`ssh -p 2222`, `mkdir -p`).

use std::ops::Range;

use regex::Regex;

use super::super::trigger::After;
use super::{ASSIGNED_SECRET, RedactError, Trigger, compiled, value};

/// What may stand between a program and its option: ASCII but for `;` and `|`, after which another order begins.
const BETWEEN: &str = "[ -:<-{}~]{0,300}?";
/// What may stand in a statement before its password: ASCII but for `;`.
const IN_STATEMENT: &str = "[ -:<-~]{0,300}?";

/// What leads to a password on a command line or in a protocol.
const ORDERS: &[&str] = &[
    // It follows at once; after a blank there would be a database.
    r#"\b(?:mysql[a-z_]*|mariadb(?:-[a-z]+)?)(?:[ "']BETWEEN)??[ "']-p"#,
    r#"\bcurl(?: BETWEEN)?? (?:-[uU][ =]?|--(?:proxy-)?user[ =])["']?[!#-&(-9;-~]{1,64}:"#,
    r"\bsshpass -p ?",
    r"\bredis-cli(?: BETWEEN)?? (?:-a|--pass) ",
    r"\b(?:docker|podman|nerdctl|buildah|oras|registry) login(?: BETWEEN)?? -p[ =]",
    r"\btwine upload(?: BETWEEN)?? -p ",
    r"\bmongo(?:sh|dump|restore|export|import)?(?: BETWEEN)?? -p ",
    r"\bldap(?:search|modify|add|delete|passwd|whoami)(?: BETWEEN)?? -w ",
    r" -pass(?:in|out)? pass:",
    r" -(?:store|key)pass ",
    // Base64 of a zero, a user, a zero and a password; the names of methods stand there too.
    r"\bAUTH PLAIN A[DEFGH]",
];

/// What leads to one in a statement, where it stands in quotes.
const STATEMENTS: &[&str] = &[
    r"\b(?:create|alter|grant)\b IN_STATEMENT\bidentified (?:with [a-z0-9_']{1,64} )?by (?:password )?",
    r"\b(?:create|alter) (?:user|role) IN_STATEMENT\bpassword ",
    // What Redis is told, as it shows it; of two arguments the first is the user.
    r#"(?-i:"AUTH") (?:"[ !#-~]{0,200}" )?"#,
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
    order: Regex,
    statement: Regex,
}

impl Ordered {
    pub(super) fn new() -> Result<Self, RedactError> {
        let leads = |leads: &[&str]| {
            leads.join("|").replace("BETWEEN", BETWEEN).replace("IN_STATEMENT", IN_STATEMENT)
        };
        // Classes of ASCII, but for what stands in quotes.
        let quoted = r#"'(?P<single>(?u:[^'\r\n]{1,200}))'|"(?P<double>(?u:[^"\r\n]{1,200}))""#;
        let bare = "(?P<bare>[!#-&(-:=?-{}~]{1,200})";
        let order = format!("(?-u)(?:{})(?:{quoted}|{bare})", leads(ORDERS));
        let statement = format!("(?i-u)(?:{})(?:{quoted})", leads(STATEMENTS));
        Ok(Self {
            order: compiled(ASSIGNED_SECRET, &order)?,
            statement: compiled(ASSIGNED_SECRET, &statement)?,
        })
    }

    /// Puts the places of what it finds, and what is not there yet, into a list.
    pub(super) fn find(&self, text: &str, into: &mut Vec<Range<usize>>) {
        let found = self.order.captures_iter(text).chain(self.statement.captures_iter(text));
        for found in found {
            let value = ["single", "double", "bare"].into_iter().find_map(|group| found.name(group));
            let Some(value) = value else { continue };
            let is_known = into.iter().any(|one| one.start < value.end() && value.start() < one.end);
            if !is_known && !value::is_none(value.as_str()) {
                into.push(value.range());
            }
        }
    }
}
