//! The leaves of expressions: selectors with matchers of all kinds, windows, subqueries, modifiers of time.

use fastrand::Rng;

/// Metrics that behave alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Counter,
    Bucket,
    /// Gauges that are never equal.
    Queue,
    /// Gauges of any sign.
    Gauge,
    /// Values that are no numbers.
    Special,
    /// Series with holes.
    Sporadic,
    /// Labels of many shapes.
    Shapes,
    /// Gauges whose samples lie at any distance.
    Uneven,
    /// Counters like that.
    Falling,
}

/// All of them.
pub(super) const EVERYWHERE: &[Family] = &[
    Family::Counter,
    Family::Bucket,
    Family::Queue,
    Family::Gauge,
    Family::Special,
    Family::Sporadic,
    Family::Shapes,
    Family::Uneven,
    Family::Falling,
];

pub(super) const NUMBERS: [&str; 16] = [
    "0", "1", "2", "-3.7", "0.5", "7.3", "100", "1e3", "2.5e-3", "150.3", "1e9", "0x1F", "Inf", "NaN",
    "-Inf", "42",
];

/// Ranges that hold no whole number of steps.
const SUBQUERIES: [&str; 8] = [
    "[10m7s:30s]",
    "[307s:]",
    "[5m7s:15s]",
    "[20m7s:2m]",
    "[37m7s:3m]",
    "[67s:1m]",
    "[41m7s:7m]",
    "[3m7s:10s]",
];

impl Family {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["requests_total"],
            Self::Bucket => &["request_seconds_bucket", "request_seconds_count", "request_seconds_sum"],
            Self::Queue => &["queue_depth"],
            Self::Gauge => &["temperature_celsius", "queue_depth"],
            Self::Special => &["special"],
            Self::Sporadic => &["sporadic"],
            Self::Shapes => &["shapes"],
            Self::Uneven => &["uneven"],
            Self::Falling => &["falls_total"],
        }
    }

    fn matchers(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &[
                "job=\"api\"",
                "job!=\"api\"",
                "code=~\"4..|5..\"",
                "code!~\"4..\"",
                "instance=\"b:9100\"",
                "instance=~\"(a|c).*\"",
                "nothing=\"\"",
                "nothing!=\"\"",
                "nothing=~\".*\"",
                "job=~\".+\", code=\"200\"",
                "job=\"no such\"",
            ],
            Self::Bucket => {
                &["le=\"0.5\"", "le!=\"+Inf\"", "job=\"worker\"", "instance!~\"a:.*\"", "le=~\"0.*\""]
            }
            Self::Queue => &[
                "queue=\"high\"",
                "queue=~\"h.*|l.*\"",
                "queue!=\"dead letters\"",
                "instance=~\"a:.*\"",
                "instance!=\"c:9100\"",
            ],
            Self::Gauge => &["room=\"cellar\"", "floor!=\"1\"", "room=~\"kitchen|attic|\"", "queue!~\"low\""],
            Self::Special => &[
                "kind=\"nan\"",
                "kind=~\".*inf\"",
                "kind!~\"nan|mixed\"",
                "kind!=\"huge\"",
                "kind=\"mixed\"",
                "kind=~\".*nan\"",
                "kind=~\".*zero\"",
            ],
            Self::Sporadic => &[
                "kind=\"often\"",
                "kind=~\"late|early\"",
                "kind=\"marked\"",
                "kind!=\"hardly\"",
                "kind=\"once\"",
            ],
            Self::Shapes => &[
                "text=\"日本語\"",
                "text=~\"[^a-z]+\"",
                "text=\"\\\"quoted\\\"\"",
                "text='back\\\\slash'",
                "text=~`\\{.*\\}`",
                "text!~\".*e.*\"",
                "text=~\"(?i)upper.*\"",
                "text=~`\\w+`",
                "text!~`[\\w\\s]+`",
                "text=~`[^\\W]+\\b`",
                "text=~`-?\\d.*`",
                "text=~`\\Qa.b\\E.*`",
                "text=~`[[a-z{&&=\"}]+`",
                "text!~`[a-p--9]+`",
                "text=~`\\p{Han}+|\\pL+`",
                "text=~`(?i)\\Qupper\\E\\s\\w+`",
                "text=~`x{foo|.*{x.*|\\x{1F40E}`",
                "even=\"yes\"",
            ],
            Self::Uneven => &["queue=\"high\"", "instance=~\"a.*|c.*\"", "queue!=\"low\", instance!~\"b.*\""],
            Self::Falling => &["instance=\"b:9100\"", "instance!=\"a:9100\"", "job=\"\""],
        }
    }
}

/// A selector without its modifiers, of one metric.
fn bare(random: &mut Rng, families: &[Family]) -> String {
    let family = choose(random, families);
    let name = choose(random, family.names());
    let matcher = choose(random, family.matchers());
    match random.u32(0..6) {
        0 | 1 => name.to_owned(),
        2 => format!("{{__name__=\"{name}\", {matcher}}}"),
        3 => format!("{name}{{{matcher}, {}}}", choose(random, family.matchers())),
        _ => format!("{name}{{{matcher}}}"),
    }
}

pub(super) fn selector(random: &mut Rng, families: &[Family]) -> String {
    bare(random, families) + &shift(random)
}

pub(super) fn range(random: &mut Rng, families: &[Family]) -> String {
    let range = choose(
        random,
        &["[1m]", "[5m]", "[10m]", "[1h]", "[90s]", "[20s]", "[1h30m]", "[2m]", "[17m30s]", "[7s]"],
    );
    bare(random, families) + range + &shift(random)
}

pub(super) fn subquery(random: &mut Rng, of: &str) -> String {
    let range = choose(random, &SUBQUERIES);
    format!("({of}){range}{}", shift(random))
}

/// `offset` and `@`, in either order, or nothing, which is the most of it.
fn shift(random: &mut Rng) -> String {
    let offset = choose(
        random,
        &[
            " offset 5m",
            " offset -5m",
            " offset 1h",
            " offset -30m",
            " offset 45s",
            " offset -90s",
            " offset 7m3s",
        ],
    );
    let at = choose(
        random,
        &[" @ start()", " @ end()", " @ 1709249400.137", " @ 1709246700.137", " @ 1709251200.637"],
    );
    match random.u32(0..16) {
        0 | 1 => offset.to_owned(),
        2 | 3 => at.to_owned(),
        4 => format!("{at}{offset}"),
        5 => format!("{offset}{at}"),
        _ => String::new(),
    }
}

fn choose<T: Copy>(random: &mut Rng, members: &[T]) -> T {
    members[random.usize(0..members.len())]
}
