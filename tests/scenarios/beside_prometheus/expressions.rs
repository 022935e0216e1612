//! Made-up expressions of PromQL, typed so that most mean something.
//!
//! What is kept out, because Debian's Prometheus is older (2.42) than the one that we follow:
//! - functions and aggregations that it does not have (`first_over_time`, `mad_over_time`, `ts_of_*`, `sort_by_label`,
//!   `limitk`, `limit_ratio`, `info`, `histogram_fraction` and `histogram_avg` of classic histograms), fills,
//!   calculated durations;
//! - windows with a sample, or a step of a subquery, on their left edge (ranges of subqueries are no multiples of
//!   their steps): since Prometheus 3 it is outside;
//! - what reads the name of a metric, or needs names to differ, after a function that drops it: we drop names at the
//!   end, as Prometheus does with `promql-delayed-name-removal`;
//! - `atan2` of what has a name: it did not drop it;
//! - `rate` and `increase` of what begins far within the window at little more than zero, as gauges do: another
//!   extrapolation;
//! - `stddev` and `stdvar` across values that are no numbers: they are NaN from the first on now;
//! - comparisons that leave out all but one of several matches: several are an error now, whatever is left out;
//! - `timestamp` of a selector with both `@` and `offset`: it forgets the offset;
//! - `predict_linear` of a range at a fixed time, over a time: it lost its samples after the first step.
//!
//! And where Prometheus promises nothing: which of equal series `topk` keeps and in which order groups come, and the
//! calendar of times that no calendar has.

mod leaves;

use fastrand::Rng;

use leaves::{EVERYWHERE, Family, NUMBERS};

/// How deep expressions are at most.
const DEPTH: usize = 4;

/// Functions of one value.
const MATHS: [&str; 24] = [
    "abs",
    "ceil",
    "floor",
    "exp",
    "ln",
    "log2",
    "log10",
    "sqrt",
    "sgn",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
    "asinh",
    "acosh",
    "atanh",
    "deg",
    "rad",
    "timestamp",
];
const CALENDAR: [&str; 8] =
    ["minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"];
/// Functions over a window of any numbers.
const OVER_TIME: [&str; 18] = [
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "present_over_time",
    "stddev_over_time",
    "stdvar_over_time",
    "changes",
    "resets",
    "delta",
    "idelta",
    "irate",
    "deriv",
    "quantile_over_time",
    "predict_linear",
    "double_exponential_smoothing",
];
const AGGREGATIONS: [&str; 8] = ["sum", "avg", "min", "max", "count", "group", "quantile", "count_values"];
const ARITHMETIC: [&str; 6] = ["+", "-", "*", "/", "%", "^"];
const COMPARISONS: [&str; 6] = ["==", "!=", ">", "<", ">=", "<="];
const SETS: [&str; 3] = ["and", "or", "unless"];

/// What an expression is made of at its top.
const TOPS: [fn(&mut Grammar, usize) -> String; 21] = [
    Grammar::rate,
    Grammar::over_time,
    Grammar::over_time,
    Grammar::aggregation,
    Grammar::aggregation,
    Grammar::deviation,
    Grammar::ranking,
    Grammar::with_scalar,
    Grammar::with_scalar,
    Grammar::same_labels,
    Grammar::by_groups,
    Grammar::many_to_one,
    Grammar::set,
    Grammar::math,
    Grammar::calendar,
    Grammar::clamp,
    Grammar::relabel,
    Grammar::absent,
    Grammar::histogram_quantile,
    Grammar::of_scalar,
    Grammar::sign,
];

/// Makes them up, the same for each seed.
pub(crate) struct Grammar {
    random: Rng,
    /// How often each list was asked: its members take turns, so that none is left out.
    turns: std::collections::HashMap<&'static str, usize>,
}

impl Grammar {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Rng::with_seed(seed), turns: std::collections::HashMap::new() }
    }

    /// An expression.
    pub(crate) fn expression(&mut self) -> String {
        let depth = self.random.usize(1..=DEPTH);
        match self.random.u32(0..20) {
            0 => self.scalar(depth),
            1 => leaves::range(&mut self.random, EVERYWHERE),
            2 => format!("sort({})", self.vector(depth)),
            3 => format!("sort_desc({})", self.vector(depth)),
            4 => self.anything(depth),
            _ => self.turn("tops", &TOPS)(self, depth),
        }
    }

    /// The next one of a list.
    fn turn<T: Copy>(&mut self, list: &'static str, members: &[T]) -> T {
        let turn = self.turns.entry(list).or_insert(0);
        *turn += 1;
        members[(*turn - 1) % members.len()]
    }

    fn pick<T: Copy>(&mut self, members: &[T]) -> T {
        members[self.random.usize(0..members.len())]
    }

    fn vector(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.u32(0..6) == 0 {
            return leaves::selector(&mut self.random, EVERYWHERE);
        }
        let top = self.pick(&TOPS);
        top(self, depth)
    }

    /// Two vectors and an operator, whether they match or not.
    fn anything(&mut self, depth: usize) -> String {
        let (left, right) = (self.vector(depth - 1), self.vector(depth - 1));
        let operator = self.keeping_operator();
        format!("({left}) {operator} ({right})")
    }

    fn scalar(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.pick(&NUMBERS).to_owned();
        }
        match self.random.u32(0..8) {
            0 => "time()".to_owned(),
            1 => "pi()".to_owned(),
            2 => format!("scalar({})", self.vector(depth - 1)),
            3 => format!("scalar(sum({}))", leaves::selector(&mut self.random, EVERYWHERE)),
            4 => format!("-{}", self.pick(&NUMBERS)),
            5 => format!(
                "({} {} bool {})",
                self.scalar(depth - 1),
                self.pick(&COMPARISONS),
                self.scalar(depth - 1)
            ),
            _ => {
                format!("({} {} {})", self.scalar(depth - 1), self.pick(&ARITHMETIC), self.scalar(depth - 1))
            }
        }
    }

    /// A window of a selector or of a subquery.
    fn window(&mut self, depth: usize, families: &[Family]) -> String {
        if depth < 2 || self.random.u32(0..3) > 0 {
            return leaves::range(&mut self.random, families);
        }
        let inner = self.vector(depth - 1);
        leaves::subquery(&mut self.random, &inner)
    }

    fn rate(&mut self, depth: usize) -> String {
        let function = self.turn("rates", &["rate", "increase"]);
        if depth > 2 && self.random.bool() {
            let old = "requests_total{instance!=\"b:9100\"}";
            return format!("{function}({})", leaves::subquery(&mut self.random, old));
        }
        let families = &[Family::Counter, Family::Bucket, Family::Falling];
        format!("{function}({})", leaves::range(&mut self.random, families))
    }

    fn over_time(&mut self, depth: usize) -> String {
        let function = self.turn("over time", &OVER_TIME);
        let mut window = self.window(depth, EVERYWHERE);
        if function == "predict_linear" && window.contains('@') {
            window = "temperature_celsius[10m]".to_owned();
        }
        match function {
            "quantile_over_time" => {
                format!("{function}({}, {window})", self.pick(&["0", "0.25", "0.5", "0.9", "1", "-1", "2"]))
            }
            "predict_linear" => {
                format!("{function}({window}, {})", self.pick(&["60", "3600", "-90", "time() % 100"]))
            }
            "double_exponential_smoothing" => {
                let (level, trend) = (self.pick(&["0.1", "0.5", "0.9"]), self.pick(&["0.2", "0.6", "1.5"]));
                format!("{function}({window}, {level}, {trend})")
            }
            _ => format!("{function}({window})"),
        }
    }

    /// `by (…)`, `without (…)` or nothing.
    fn grouping(&mut self) -> String {
        let labels = [
            "",
            "instance",
            "job",
            "code",
            "instance, job",
            "queue",
            "room",
            "kind",
            "le",
            "nothing",
            "text",
        ];
        let labels = self.pick(&labels);
        match self.random.u32(0..5) {
            0 => String::new(),
            1 => format!(" without ({labels}) "),
            _ => format!(" by ({labels}) "),
        }
    }

    fn aggregation(&mut self, depth: usize) -> String {
        let (operation, grouping) = (self.turn("aggregations", &AGGREGATIONS), self.grouping());
        let input = match operation {
            // Values become texts, which differ in the last digit of what was calculated.
            "count_values" => leaves::selector(&mut self.random, EVERYWHERE),
            _ => self.vector(depth - 1),
        };
        match operation {
            "quantile" => {
                format!(
                    "quantile{grouping}({}, {input})",
                    self.pick(&["0.5", "0.05", "0.99", "0", "1", "-0.1", "1.1"])
                )
            }
            "count_values" => format!("count_values{grouping}(\"value\", {input})"),
            _ => format!("{operation}{grouping}({input})"),
        }
    }

    /// Aggregations that are told values which are numbers.
    fn deviation(&mut self, depth: usize) -> String {
        let operation = self.turn("deviations", &["stddev", "stdvar"]);
        let grouping = self.grouping();
        let families = &[Family::Gauge, Family::Counter, Family::Bucket];
        let input = match depth {
            1 => leaves::selector(&mut self.random, families),
            _ => format!("avg_over_time({})", leaves::range(&mut self.random, families)),
        };
        format!("{operation}{grouping}({input})")
    }

    /// Aggregations that choose series, among such as are never equal.
    fn ranking(&mut self, depth: usize) -> String {
        let operation = self.turn("rankings", &["topk", "bottomk"]);
        let grouping = self.pick(&["", "", " by (instance) ", " by (queue) ", " without (queue) "]);
        let input = match depth {
            1 => leaves::selector(&mut self.random, &[Family::Queue]),
            2 => format!("avg_over_time({})", leaves::range(&mut self.random, &[Family::Queue])),
            _ => format!("{} * 3 - 100", leaves::selector(&mut self.random, &[Family::Queue])),
        };
        format!(
            "{operation}{grouping}({}, {input})",
            self.pick(&["1", "2", "3", "5", "100", "0", "-1", "2.9"])
        )
    }

    /// An operator that leaves nothing out.
    fn keeping_operator(&mut self) -> String {
        match self.random.bool() {
            true => self.turn("arithmetic", &ARITHMETIC).to_owned(),
            false => format!("{} bool", self.turn("tests", &COMPARISONS)),
        }
    }

    fn operator(&mut self) -> String {
        match self.random.u32(0..3) {
            0 => self.turn("arithmetic", &ARITHMETIC).to_owned(),
            1 => self.turn("comparisons", &COMPARISONS).to_owned(),
            _ => format!("{} bool", self.turn("tests", &COMPARISONS)),
        }
    }

    fn with_scalar(&mut self, depth: usize) -> String {
        let (vector, operator) = (self.vector(depth - 1), self.operator());
        // Large powers make much of what floats do not agree on.
        let scalar = match operator.as_str() {
            "^" => self.pick(&["2", "0.5", "-1", "3", "0"]).to_owned(),
            _ => self.scalar(depth - 1),
        };
        match self.random.bool() {
            true => format!("({vector}) {operator} {scalar}"),
            false => format!("{scalar} {operator} ({vector})"),
        }
    }

    /// Two views of one metric: one to one by all labels.
    fn same_labels(&mut self, _depth: usize) -> String {
        let family = self.pick(EVERYWHERE);
        let left = leaves::selector(&mut self.random, &[family]);
        let right = match self.random.bool() {
            true => format!("avg_over_time({})", leaves::range(&mut self.random, &[family])),
            false => leaves::selector(&mut self.random, &[family]),
        };
        let matching = self.pick(&["", "", "ignoring (nothing) "]);
        format!("{left} {} {matching}{right}", self.operator())
    }

    /// Groups on both sides: one to one by the labels of the groups.
    fn by_groups(&mut self, depth: usize) -> String {
        let labels = self.pick(&["instance", "job", "instance, job", "kind", ""]);
        let side = |this: &mut Self| {
            let operation = this.pick(&["sum", "max", "min", "count", "avg"]);
            format!("{operation} by ({labels}) ({})", this.vector(depth - 1))
        };
        let (left, right) = (side(self), side(self));
        let matching = match self.random.u32(0..3) {
            0 => String::new(),
            1 => format!("on ({labels}) "),
            _ => "ignoring (version) ".to_owned(),
        };
        let operator = if self.random.u32(0..6) == 0 { "atan2".to_owned() } else { self.operator() };
        format!("{left} {operator} {matching}{right}")
    }

    fn many_to_one(&mut self, depth: usize) -> String {
        let many = match depth {
            1 => leaves::selector(&mut self.random, &[Family::Queue, Family::Counter, Family::Uneven]),
            2 => self.rate(1),
            _ => format!("sum by (instance, job, queue) ({})", self.vector(depth - 1)),
        };
        let one = match self.random.u32(0..3) {
            0 => "build_info".to_owned(),
            1 => "max by (instance, version) (build_info)".to_owned(),
            _ => format!("sum by (instance) ({})", leaves::selector(&mut self.random, &[Family::Counter])),
        };
        let matching =
            self.pick(&["on (instance)", "on (instance)", "ignoring (job, code, queue, version, le)"]);
        let include = self.pick(&["", "version", "version, nothing", "job"]);
        match self.random.bool() {
            true => format!("({many}) {} {matching} group_left ({include}) ({one})", self.keeping_operator()),
            false => {
                format!("({one}) {} {matching} group_right ({include}) ({many})", self.keeping_operator())
            }
        }
    }

    fn set(&mut self, depth: usize) -> String {
        let operator = self.turn("sets", &SETS);
        let (left, right) = (self.vector(depth - 1), self.vector(depth - 1));
        let matching = self.pick(&[
            "",
            "",
            "on () ",
            "on (instance) ",
            "on (instance, queue) ",
            "ignoring (instance) ",
            "ignoring (queue, code) ",
        ]);
        let (left, right) = match self.random.u32(0..4) {
            0 => (format!("({left}) {} (({right}) {} 50)", self.pick(&SETS), self.pick(&COMPARISONS)), right),
            _ => (left, right),
        };
        format!("({left}) {operator} {matching}({right})")
    }

    fn math(&mut self, depth: usize) -> String {
        let function = self.turn("math", &MATHS);
        let mut input = self.vector(depth - 1);
        match function {
            "timestamp" if input.contains('@') => input = "queue_depth offset 45s".to_owned(),
            // The last digit of a large number is much, to a modulo.
            "exp" | "sinh" | "cosh" => input = format!("({input}) / 1000"),
            // What is halfway between two is rounded as the last digit has it.
            "ceil" | "floor" => input = format!("({input}) * 0.7317"),
            _ => {}
        }
        format!("{function}({input})")
    }

    fn calendar(&mut self, depth: usize) -> String {
        let function = self.turn("calendar", &CALENDAR);
        let days = self.pick(&["0", "1", "59", "365", "-4000", "12345.6"]);
        match depth {
            1 => format!("{function}()"),
            2 => format!("{function}(vector(time() - 86400 * {days}))"),
            _ => {
                let offset = self.pick(&["", " offset 5m", " offset -5m", " @ end()"]);
                format!("{function}(timestamp(queue_depth{offset}) + 86400 * {days})")
            }
        }
    }

    fn clamp(&mut self, depth: usize) -> String {
        let (input, bound) = (self.vector(depth - 1), self.scalar(depth - 1));
        match self.turn("clamps", &["clamp", "clamp_min", "clamp_max", "round", "round to"]) {
            "clamp" => format!("clamp({input}, {bound}, {})", self.scalar(1)),
            "round" => format!("round(({input}) * 0.7317)"),
            "round to" => {
                format!("round(({input}) * 0.7317, {})", self.pick(&["5", "0.1", "0.25", "-2", "0"]))
            }
            function => format!("{function}({input}, {bound})"),
        }
    }

    fn relabel(&mut self, depth: usize) -> String {
        let input = self.vector(depth - 1);
        let target = self.pick(&["new", "instance", "kind", "text"]);
        if self.turn("relabel", &[true, false, false]) {
            let separator = self.pick(&["", "-", "🐎"]);
            return format!(
                "label_join({input}, \"{target}\", \"{separator}\", \"instance\", \"nothing\", \"job\")"
            );
        }
        let source = self.pick(&["instance", "job", "text", "kind", "nothing", "le"]);
        let (replacement, pattern) = self.pick(&[
            ("$1", "(.*):.*"),
            ("${1}x$2", "(.)(.*)"),
            ("$1", "(a|b|api)"),
            ("fixed", ".*"),
            ("", ".+"),
            ("$name", "(?P<name>[a-z ]+)"),
            ("$3", "(.*)"),
            // In a text of PromQL a backslash is two.
            ("$1", r"(\\w+)\\W.*"),
            ("$2$1", r"(\\w*)\\b(.*)"),
            ("${1}!", r"\\Qa\\E[[:punct:]](.*\\d+)"),
            ("$1", r"([[a-z&&:{]+).*"),
            ("$1-$2", r"(\\D*)(\\d*).*"),
        ]);
        format!("label_replace({input}, \"{target}\", \"{replacement}\", \"{source}\", \"{pattern}\")")
    }

    fn absent(&mut self, depth: usize) -> String {
        let missing = self.pick(&[
            "no_such_metric{job=\"api\", instance=~\"a.*\", code!=\"1\"}",
            "requests_total{job=\"no such\"}",
            "sporadic{kind=\"once\"}",
            "sporadic{kind=\"late\", kind=\"late\"}",
            "sporadic{kind=\"early\"}",
        ]);
        match self.turn("absent", &[0, 1, 2, 3]) {
            0 => format!("absent({missing})"),
            1 => format!("absent_over_time({missing}[{}])", self.pick(&["1m", "5m", "20m"])),
            2 => format!("absent({})", self.vector(depth - 1)),
            _ => format!("absent_over_time({})", leaves::subquery(&mut self.random, missing)),
        }
    }

    fn histogram_quantile(&mut self, depth: usize) -> String {
        let quantile = match self.random.u32(0..4) {
            0 => self.scalar(depth - 1),
            _ => self.pick(&["0.5", "0.9", "0.99", "0", "1", "0.001", "-1", "1.5", "NaN"]).to_owned(),
        };
        let rate = |this: &mut Self| format!("rate({})", leaves::range(&mut this.random, &[Family::Bucket]));
        let input = match self.random.u32(0..5) {
            0 => "odd_bucket".to_owned(),
            1 => leaves::selector(&mut self.random, &[Family::Bucket]),
            2 => rate(self),
            3 => self.vector(depth - 1),
            _ => {
                format!("sum by ({}) ({})", self.pick(&["le", "le, job", "instance, le", "job"]), rate(self))
            }
        };
        format!("histogram_quantile({quantile}, {input})")
    }

    fn of_scalar(&mut self, depth: usize) -> String {
        format!("vector({})", self.scalar(depth))
    }

    fn sign(&mut self, depth: usize) -> String {
        format!("{}({})", self.turn("signs", &["-", "+", "- -", "-1 * -"]), self.vector(depth - 1))
    }
}
