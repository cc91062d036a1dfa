//! A page of metrics in the Prometheus text format, version 0.0.4.
//!
//! Promises: names, labels and help are written in this program's source; the
//! values of labels are escaped; values are whole numbers. It keeps nothing
//! between pages: each is made anew from what the daemon is just then.

use std::fmt::Write as _;

/// Whether a value may go down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It may.
    Gauge,
    /// It only grows while the process runs.
    Counter,
}

/// One page.
#[derive(Default)]
pub struct Page(String);

impl Page {
    /// A page that says which program this is and since when it runs.
    pub fn of(program: &str, version: &str, started: u64) -> Self {
        let mut page = Self::default();
        let build = [("program", program.to_owned()), ("version", version.to_owned())];
        page.all("koonti_build", Kind::Gauge, "Which program this is; always 1.", [(build, 1)]);
        page.one("koonti_start_time_seconds", Kind::Gauge, "When the process began, Unix seconds.", started);
        page
    }

    /// A metric of one value.
    pub fn one(&mut self, name: &'static str, kind: Kind, help: &'static str, value: u64) {
        self.all(name, kind, help, [([], value)]);
    }

    /// A metric with one value for each set of labels.
    pub fn all<const N: usize>(
        &mut self,
        name: &'static str,
        kind: Kind,
        help: &'static str,
        samples: impl IntoIterator<Item = ([(&'static str, String); N], u64)>,
    ) {
        let kind = match kind {
            Kind::Gauge => "gauge",
            Kind::Counter => "counter",
        };
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let labels: Vec<String> =
                labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
            let _ = match &labels[..] {
                [] => writeln!(self.0, "{name} {value}"),
                labels => writeln!(self.0, "{name}{{{}}} {value}", labels.join(",")),
            };
        }
    }

    /// The page as it is sent.
    pub fn text(self) -> String {
        self.0
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_in_the_text_format() {
        let mut page = Page::of("koonti-node", "0.1.0", 7);
        page.all("koonti_x", Kind::Counter, "Of each.", [([("of", "a\"\\\nb".to_owned())], 3)]);
        let lines = [
            "# HELP koonti_build Which program this is; always 1.",
            "# TYPE koonti_build gauge",
            "koonti_build{program=\"koonti-node\",version=\"0.1.0\"} 1",
            "# HELP koonti_start_time_seconds When the process began, Unix seconds.",
            "# TYPE koonti_start_time_seconds gauge",
            "koonti_start_time_seconds 7",
            "# HELP koonti_x Of each.",
            "# TYPE koonti_x counter",
            "koonti_x{of=\"a\\\"\\\\\\nb\"} 3",
            "",
        ];
        assert_eq!(page.text(), lines.join("\n"));
    }
}
