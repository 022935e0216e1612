//! The series that both servers get: counters that fall, gauges of all signs, holes, staleness markers, values
//! that are no numbers, classic histograms, labels of many shapes.
//!
//! Samples never lie at full seconds, so that none lies on the edge of a window: whether an edge belongs to a window
//! is what Prometheus 3 changed.

use fastrand::Rng;

/// The first sample of most series: an hour and a half before the end of a leap day, in milliseconds.
pub(crate) const BEGIN_MS: i64 = 1_709_245_800_000;
/// How many samples most series have: two hours.
const COUNT: i64 = 480;
const STEP_MS: i64 = 15_000;
/// From the first sample to after the last.
pub(crate) const LENGTH_MS: i64 = (COUNT + 1) * STEP_MS;
/// Bytes that Prometheus writes for a series that has ended.
const STALE: f64 = f64::from_bits(0x7ff0_0000_0000_0002);
const BOUNDS: [&str; 9] = ["0.005", "0.01", "0.05", "0.1", "0.5", "1", "2.5", "10", "+Inf"];
const SHAPES: [&str; 12] = [
    "plain",
    "UPPER lower",
    "a.b-c/d:e",
    "\"quoted\"",
    "back\\slash",
    "žluťoučký",
    "日本語",
    "🐎",
    "100",
    "-1.5e3",
    "{x=\"y\"}",
    "a,b;c|d",
];

/// One series.
pub(crate) struct Series {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) samples: Vec<(i64, f64)>,
}

impl Series {
    /// The samples from one time on and before another.
    pub(crate) fn between(&self, begin_ms: i64, end_ms: i64) -> &[(i64, f64)] {
        let place = |time_ms| self.samples.partition_point(|sample| sample.0 < time_ms);
        &self.samples[place(begin_ms)..place(end_ms)]
    }
}

/// All of them, the same for each seed.
pub(crate) fn series(seed: u64) -> Vec<Series> {
    let mut all = Made { random: Rng::with_seed(seed), series: Vec::new() };
    all.counters();
    all.gauges();
    all.histograms();
    all.constants();
    all.holes();
    all.uneven();
    all.series
}

struct Made {
    random: Rng,
    series: Vec<Series>,
}

impl Made {
    /// A series with a value at each time that has one; some times are a little off.
    fn put(
        &mut self,
        name: &str,
        labels: &[(&'static str, &str)],
        mut value: impl FnMut(&mut Rng, i64) -> Option<f64>,
    ) {
        let phase = self.random.i64(0..12) * 1_000 + 400;
        let mut samples = Vec::new();
        for number in 0..COUNT {
            let jitter = self.random.i64(0..200);
            if let Some(value) = value(&mut self.random, number) {
                samples.push((BEGIN_MS + number * STEP_MS + phase + jitter, value));
            }
        }
        let mut labels: Vec<_> = labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        labels.push(("__name__", name.to_owned()));
        labels.sort_unstable();
        self.series.push(Series { labels, samples });
    }

    /// Series whose samples lie anywhere from a second to four minutes apart, and a counter that falls now and then.
    ///
    /// It never falls to nearly zero: Prometheus 3 extrapolates otherwise there.
    fn uneven(&mut self) {
        for instance in ["a:9100", "b:9100", "c:9100"] {
            for queue in ["high", "low"] {
                self.put_unevenly("uneven", &[("instance", instance), ("queue", queue)], |random| {
                    f64::from(random.i32(-50..150)) + f64::from(random.u32(0..1024)) / 1024.0
                });
            }
            let mut total = 1e6;
            self.put_unevenly("falls_total", &[("instance", instance)], |random| {
                let falls = random.u32(0..30) == 0;
                total = if falls { total / 2.0 } else { total + f64::from(random.u32(0..600)) / 8.0 };
                total
            });
        }
    }

    fn put_unevenly(
        &mut self,
        name: &str,
        labels: &[(&'static str, &str)],
        mut value: impl FnMut(&mut Rng) -> f64,
    ) {
        let mut time_ms = BEGIN_MS;
        let mut samples = Vec::new();
        while time_ms < BEGIN_MS + COUNT * STEP_MS {
            // At the same part of a second as the others: none lies on the edge of a window.
            samples.push((time_ms + 400, value(&mut self.random)));
            let most = if self.random.bool() { 10 } else { 240 };
            time_ms += self.random.i64(1..most) * 1_000;
        }
        let mut labels: Vec<_> = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        labels.push(("__name__", name.to_owned()));
        labels.sort_unstable();
        self.series.push(Series { labels, samples });
    }

    /// One instance restarts, one comes late, one goes early with a marker, one has a hole.
    ///
    /// Who comes late begins at zero, and holes lie where counters are high: Prometheus 3 extrapolates otherwise
    /// where a first value is about as large as what one step adds.
    fn counters(&mut self) {
        for (place, instance) in ["a:9100", "b:9100", "c:9100"].into_iter().enumerate() {
            for (job, pace) in [("api", 40), ("worker", 7)] {
                for code in ["200", "404", "500"] {
                    let mut total = if place == 1 { 0.0 } else { 100_000.0 };
                    let own = f64::from(self.random.u32(1..64)) / 64.0;
                    let labels = [("instance", instance), ("job", job), ("code", code)];
                    self.put("requests_total", &labels, |random, number| {
                        let begins = place == 1 && number < 100;
                        let ends = place == 2 && job == "worker" && number > 300;
                        let hole = place == 2 && job == "api" && (200..240).contains(&number);
                        if begins || ends || hole {
                            return (ends && number == 301).then_some(STALE);
                        }
                        if place == 0 && job == "api" && matches!(number, 150 | 151 | 333) {
                            total = 0.0;
                        } else if !(place == 1 && number == 100) {
                            total += f64::from(random.u32(0..2 * pace)) + own;
                        }
                        Some(total)
                    });
                }
            }
        }
    }

    fn gauges(&mut self) {
        for (row, instance) in ["a:9100", "b:9100", "c:9100"].into_iter().enumerate() {
            for (column, queue) in ["high", "low", "dead letters"].into_iter().enumerate() {
                // No two of them are ever equal, nor are their averages.
                let place = row * 3 + column;
                let own = (place * place + place + 1) as f64 / 1024.0;
                let labels = [("instance", instance), ("queue", queue)];
                self.put("queue_depth", &labels, |random, _| {
                    Some(100.0 + f64::from(random.u32(0..50)) + own)
                });
            }
        }
        for (place, room) in ["kitchen", "cellar", "attic", "garden"].into_iter().enumerate() {
            let mut degrees = place as f64 * 7.0 - 9.0;
            let labels = [("room", room), ("floor", if place % 2 == 0 { "0" } else { "1" })];
            self.put("temperature_celsius", &labels, |random, _| {
                degrees += f64::from(random.i32(-4..5)) / 8.0;
                Some(degrees)
            });
        }
    }

    fn histograms(&mut self) {
        for instance in ["a:9100", "b:9100"] {
            for job in ["api", "worker"] {
                let mut counts = vec![vec![0_u32; BOUNDS.len()]; COUNT as usize];
                for number in 1..counts.len() {
                    counts[number] = counts[number - 1].clone();
                    for _ in 0..self.random.u32(0..30) {
                        let least = self.random.usize(0..BOUNDS.len());
                        counts[number][least..].iter_mut().for_each(|count| *count += 1);
                    }
                }
                for (bucket, le) in BOUNDS.into_iter().enumerate() {
                    let labels = [("instance", instance), ("job", job), ("le", le)];
                    let value = |number: i64| f64::from(counts[number as usize][bucket]);
                    self.put("request_seconds_bucket", &labels, |_, number| Some(value(number)));
                }
                let labels = [("instance", instance), ("job", job)];
                let count = |number: i64| f64::from(counts[number as usize][BOUNDS.len() - 1]);
                self.put("request_seconds_count", &labels, |_, number| Some(count(number)));
                self.put("request_seconds_sum", &labels, |_, number| Some(count(number) * 0.75));
            }
        }
        // Histograms that say little: without the last bucket, with counts that fall, with a bound that is none.
        for (kind, buckets) in [
            ("open", [("1", 3.0), ("2", 5.0)]),
            ("falling", [("1", 5.0), ("+Inf", 3.0)]),
            ("empty", [("1", 0.0), ("+Inf", 0.0)]),
            ("negative", [("-2", 1.0), ("+Inf", 4.0)]),
            ("no number", [("much", 1.0), ("+Inf", 4.0)]),
            ("alone", [("+Inf", 4.0), ("", 4.0)]),
        ] {
            for (le, count) in buckets {
                self.put("odd_bucket", &[("kind", kind), ("le", le)], |_, _| Some(count));
            }
        }
    }

    /// Series of one value, and of values that are no numbers.
    fn constants(&mut self) {
        for (instance, version) in [("a:9100", "1.2.3"), ("b:9100", "1.2.3"), ("c:9100", "2.0.0-rc.1")] {
            self.put("build_info", &[("instance", instance), ("version", version)], |_, _| Some(1.0));
        }
        for (number, text) in SHAPES.into_iter().enumerate() {
            let own = number as f64 * 0.5 + 1.0;
            self.put(
                "shapes",
                &[("text", text), ("even", if number % 2 == 0 { "yes" } else { "no" })],
                |_, _| Some(own),
            );
        }
        for (kind, value) in [
            ("nan", f64::NAN),
            ("inf", f64::INFINITY),
            ("minus inf", f64::NEG_INFINITY),
            ("zero", 0.0),
            ("minus zero", -0.0),
            ("huge", 1.5e18),
            ("tiny", -3.5e-9),
        ] {
            self.put("special", &[("kind", kind)], |_, _| Some(value));
        }
        let values = [f64::NAN, 2.0, -7.5, f64::INFINITY, 0.0, 11.25, f64::NEG_INFINITY, 3.5];
        self.put("special", &[("kind", "mixed")], |random, _| Some(values[random.usize(0..values.len())]));
        self.put("special", &[("kind", "sometimes nan")], |random, number| {
            Some(if random.u32(0..5) == 0 { f64::NAN } else { number as f64 })
        });
    }

    /// Series that come and go, with markers and without.
    fn holes(&mut self) {
        for (kind, share) in [("often", 2), ("rarely", 6), ("hardly", 40)] {
            self.put("sporadic", &[("kind", kind)], |random, number| {
                let value = f64::from(random.u32(0..100));
                (random.u32(0..share) == 0).then_some(value + number as f64)
            });
        }
        self.put("sporadic", &[("kind", "marked")], |random, number| match number / 20 % 3 {
            0 => Some(f64::from(random.u32(0..9))),
            1 => (number % 20 == 0).then_some(STALE),
            _ => None,
        });
        self.put("sporadic", &[("kind", "late")], |_, number| (number > 350).then_some(number as f64));
        self.put("sporadic", &[("kind", "early")], |_, number| (number < 170).then_some(number as f64));
        self.put("sporadic", &[("kind", "once")], |_, number| (number == 222).then_some(5.0));
    }
}
