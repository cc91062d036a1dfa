//! Questions, in files and flags, and profiles.

use super::Tried;
use super::stage::{Case, Stage};

/// A question in flags.
fn flags(stage: &Stage, words: &str) -> Tried {
    stage.person().person(&format!("table quote {words}"))
}

/// A question in a file, with another line.
fn file(stage: &Stage, from: &str, to: &str) -> Tried {
    let toml = "register = \"adult-social-work\"\nmeasure = \"clients\"\nby = [\"sex\"]\nperiods = [\"2026Q3\"]\n\
                release = \"per_node\"\nsd = \"5\"\npurpose = \"structural-social-work\"\n";
    let bench = stage.person().write("question.toml", toml).edit("question.toml", from, to);
    let question = bench.path("question.toml");
    bench.person(&format!("table quote {}", question.display()))
}

pub(super) const CASES: &[(&str, Case)] = &[
    ("Q01", |s| flags(s, "--by shoe_size --period 2026Q3 --sd 5")),
    ("Q02", |s| flags(s, "--by sex --where need=N99x --period 2026Q3 --sd 5")),
    ("Q03", |s| flags(s, "--by sex --period 2026Q3")),
    ("Q04", |s| flags(s, "--by sex --period 2026Q3 --sd 0.01")),
    ("Q05", |s| flags(s, "--by sex --period 2026Q3 --sd five")),
    ("Q06", |s| flags(s, "--by need --period 2026Q3 --sd 5")),
    ("Q07", |s| flags(s, "--by need --period 2026Q3 --sd 5 --max-per-client 0")),
    ("Q08", |s| flags(s, "--by sex --period 2026-09 --sd 5")),
    ("Q09", |s| flags(s, "--by sex --sd 5")),
    ("Q10", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --measure score")),
    ("Q11", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --measure score --score D99")),
    ("Q12", |s| flags(s, "--by area,age_group,need,sex --period 2026Q3 --sd 5 --max-per-client 2 --where area=")),
    ("Q13", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --register ../etc")),
    ("Q14", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --purpose marketing")),
    ("Q15", |s| file(s, "measure =", "mesure =")),
    ("Q16", |s| file(s, "by = [\"sex\"]", "by = \"sex\"")),
    ("Q17", |s| file(s, "sd = \"5\"", "sd = \"5\"\nwithin = \"10\"")),
    ("Q18", |s| s.person().person("table quote no-such-file.toml")),
    ("Q19", |s| flags(s, "--by sex --period 2019Q1 --sd 5")),
    ("Q20", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --where area=091")),
    ("Q21", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --purpose statistics")),
    ("Q22", |s| flags(s, "--by sex --period 2026Q3 --sd 0.5")),
    ("Q23", |s| s.person().person("table show zz")),
    ("Q24", |s| s.person().person("table show 000000000000")),
    ("Q25", |s| s.nothing().person("table list")),
    ("Q26", |s| s.person().edit("profile.toml", "region =", "regoin =").person("table list")),
    ("Q27", |s| s.person().write("identity.key", "00").person("table list")),
    ("Q28", |s| s.person().write("tls.key", "not a key\n").person("table list")),
    ("Q29", |s| s.person().person("evidence fetch --out evidence.tar")),
    ("Q30", |s| {
        let bench = s.person();
        let out = bench.path("table.xlsx");
        bench.person(&format!("table export {} --out {}", bench.table(), out.display()))
    }),
    ("Q31", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --measure events")),
    ("Q32", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --max-events 5")),
    ("Q33", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --measure events --max-events 101")),
    ("Q34", |s| flags(s, "--by sex --period 2026Q3 --sd 5 --measure events --max-events 5")),
];
