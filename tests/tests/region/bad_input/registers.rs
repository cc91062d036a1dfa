//! Registers, and the files that say how to read them.

use super::Tried;
use super::stage::{Case, Stage, WORD};
use koonti_tests::Run;

const HEADER: &str = "client;date;born;sex;area;need;D07\n";
const GOOD: &str = "C-1;5.9.2026;1986;1;205;N01;6\n";

/// A register of a good row and this one.
fn row(stage: &Stage, row: &str) -> Tried {
    register(stage, format!("{HEADER}{GOOD}{row}\n"))
}

/// The bytes of a register.
fn register(stage: &Stage, bytes: impl AsRef<[u8]>) -> Tried {
    stage.new_node().write("register.csv", bytes).node("import --dry-run")
}

/// The same, with another line in the mapping.
fn mapped(stage: &Stage, from: &str, to: &str, bytes: impl AsRef<[u8]>) -> Tried {
    stage.new_node().write("register.csv", bytes).edit("register.toml", from, to).node("import --dry-run")
}

/// A mapping, over a good register.
fn mapping(stage: &Stage, from: &str, to: &str) -> Tried {
    mapped(stage, from, to, [HEADER, GOOD].concat())
}

/// A register with a column for the household.
fn household(stage: &Stage, text: &str) -> Tried {
    let header = HEADER.replace("D07", "D07;home");
    let rows = format!("{header}C-2;5.9.2026;1966;2;205;N02;7;{text}\n");
    mapped(stage, "sex = \"sex\"", "sex = \"sex\"\nhousehold = \"home\"", rows)
}

pub(super) const CASES: &[(&str, Case)] = &[
    ("R01", |s| register(s, "")),
    ("R02", |s| register(s, HEADER.replace("born", "syntynyt"))),
    ("R03", |s| register(s, HEADER.replace("D07", "D07;need"))),
    ("R04", |s| register(s, HEADER.replace("D07", "131052-308T"))),
    ("R05", |s| row(s, &format!("C-2;5.9.2026;{WORD}"))),
    ("R06", |s| row(s, &format!("C-2;5.9.2026;1966;2;205;\"N02 {WORD};7"))),
    ("R07", |s| row(s, &format!("C-2;5.9.2026;1966;2;205;\"N02\"{WORD};7"))),
    ("R08", |s| register(s, [HEADER.as_bytes(), b"C-\xe4;5.9.2026;1986;1;205;N01;6\n"].concat())),
    ("R09", |s| mapped(s, "utf-8", "windows-1252", format!("\u{feff}{HEADER}{GOOD}"))),
    ("R10", |s| row(s, &format!("C-2;{WORD};1966;2;205;N02;7"))),
    ("R11", |s| row(s, "C-2;31.2.2026;1966;2;205;N02;7")),
    ("R12", |s| row(s, &format!("C-2;5.9.2026;{WORD};2;205;N02;7"))),
    ("R13", |s| row(s, "C-2;5.9.2026;1 966;2;205;N02;7")),
    ("R14", |s| row(s, &format!("C-2;5.9.2026;1966;{WORD};205;N02;7"))),
    ("R15", |s| row(s, &format!("C-2;5.9.2026;1966;2;{WORD};N02;7"))),
    ("R16", |s| row(s, &format!("C-2;5.9.2026;1966;2;205;{WORD};7"))),
    ("R17", |s| row(s, &format!("C-2;5.9.2026;1966;2;205;N02;{WORD}"))),
    ("R18", |s| row(s, "C-2;5.9.2026;1966;2;205;N02;10,5")),
    ("R19", |s| row(s, ";5.9.2026;1966;2;205;N02;7")),
    ("R20", |s| row(s, "C-2;;1966;2;205;N02;7")),
    ("R21", |s| row(s, "C-2;5.9.2026;1966;2;131052-308T;N02;7")),
    ("R22", |s| row(s, &format!("C-2;5.9.2026;1966;2;205;{};7", "x".repeat(5000)))),
    ("R23", |s| row(s, &format!("C-2;5.9.2026;1966;2;205;\"{}\";7", "x".repeat(1 << 20)))),
    ("R24", |s| register(s, format!("{}\n", vec!["x"; 1025].join(";")))),
    ("R25", |s| {
        let years = (1990..1996).map(|year| GOOD.replace("2026", &year.to_string()));
        register(s, [HEADER, GOOD].into_iter().map(str::to_owned).chain(years).collect::<String>())
    }),
    ("R26", |s| {
        let need = "need = { column = \"need\", separator = \",\" }";
        mapped(s, "need = \"need\"", need, format!("{HEADER}C-2;5.9.2026;1966;2;205;N02,{WORD};7\n"))
    }),
    ("R27", |s| {
        let need = "need = { column = \"need\", separator = \",\" }";
        mapped(s, "need = \"need\"", need, format!("{HEADER}C-2;5.9.2026;1966;2;205;{};7\n", ["N02"; 65].join(",")))
    }),
    ("R28", |s| {
        let bench = s.new_node();
        std::fs::remove_file(bench.path("register.csv")).expect("a register");
        bench.node("import --dry-run")
    }),
    ("R29", |s| s.new_node().node("import --dry-run --periods 2026Q2")),
    ("R30", |s| mapped(s, "birth_year", "age", format!("{HEADER}C-2;5.9.2026;{WORD};2;205;N02;7\n"))),
    ("R31", |s| mapped(s, "birth_year", "age_group", format!("{HEADER}C-2;5.9.2026;{WORD};2;205;N02;7\n"))),
    ("R32", |s| mapped(s, "birth_year", "birth_date", format!("{HEADER}C-2;5.9.2026;{WORD};2;205;N02;7\n"))),
    ("M01", |s| mapping(s, "[format]", "[format]\ndelimeter = \";\"")),
    ("M02", |s| mapping(s, "date = \"d.m.yyyy\"", "date = \"dd/mm/yy\"")),
    ("M03", |s| mapping(s, "delimiter = \";\"", "delimiter = \"|\"")),
    ("M04", |s| mapping(s, "hide_area_if = []", "")),
    ("M05", |s| mapping(s, "sex = \"sex\"", "sex = \"area\"")),
    ("M06", |s| mapping(s, "sex = \"sex\"", "sex = \" \"")),
    ("M07", |s| mapping(s, "birth_year = \"born\"", "")),
    ("M08", |s| mapping(s, "birth_year = \"born\"", "birth_year = \"born\"\nage = \"years\"")),
    ("M09", |s| mapping(s, "need = \"need\"", "need = { column = \"need\" }")),
    ("M10", |s| mapping(s, "need = \"need\"", "need = \"need\"\nprimary = \"first\"")),
    ("M11", |s| mapping(s, "D07 = \"D07\"", "D77 = \"D07\"")),
    ("M12", |s| mapping(s, "exclude_if = []", "exclude_if = [{ column = \"D07\", value = \"131052-308T\" }]")),
    ("M13", |s| mapping(s, "exclude_if = []", "exclude_if = [{ column = \"block\", value = \"\" }]")),
    ("M14", |s| mapping(s, "source = \"adult-social-work\"", "source = \"Adult Social Work\"")),
    ("M15", |s| mapping(s, "[format]", "row = \"visit\"\n[format]")),
    ("M16", |s| mapping(s, "[format]", "coverage = \"most\"\n[format]")),
    ("M17", |s| mapping(s, "[format]", "[format]\nkind = \"xlsx\"")),
    ("M18", |s| mapping(s, "sex = \"sex\"", "sex = \"sex\"\nfactors = { column = \"f\" }")),
    ("R33", |s| {
        let header = HEADER.replace("D07", "D07;why");
        let (needs, factors) = (["N02"; 64].join(","), ["F01"; 5].join(","));
        let bench =
            s.new_node().write("register.csv", format!("{header}C-2;5.9.2026;1966;2;205;{needs};7;{factors}\n"));
        let bench = bench.edit("register.toml", "need = \"need\"", "need = { column = \"need\", separator = \",\" }");
        let factors = "sex = \"sex\"\nfactors = { column = \"why\", separator = \",\" }";
        bench.edit("register.toml", "sex = \"sex\"", factors).node("import --dry-run")
    }),
    ("R34", |s| household(s, WORD)),
    ("R35", |s| {
        let bench =
            s.new_node().edit("register.toml", "delimiter = \";\"\nencoding = \"utf-8\"\n", "kind = \"parquet\"\n");
        bench.node("import --dry-run")
    }),
    ("R36", |s| {
        let bench =
            s.new_node().edit("register.toml", "delimiter = \";\"\nencoding = \"utf-8\"\n", "kind = \"parquet\"\n");
        bench.write("register.csv", b"PAR1\x00\x00\x00\x00garbage-garbage\x10\x00\x00\x00PAR1").node("import --dry-run")
    }),
    ("R37", |s| {
        let mark = "exclude_if = [{ column = \"block\", value = \"rajoitettu\" }]";
        let row = format!("C-2;5.9.2026;1966;2;205;N02;7;rajoitettu\u{200b}{WORD}\n");
        mapped(s, "exclude_if = []", mark, HEADER.replace("D07", "D07;block") + &row)
    }),
    ("R38", |s| register(s, HEADER)),
    ("R39", |s| {
        register(
            s,
            HEADER.encode_utf16().fold(b"\xff\xfe".to_vec(), |all, two| [all, two.to_le_bytes().into()].concat()),
        )
    }),
    ("R40", |s| register(s, b"PK\x03\x04\x14\x00\x06\x00")),
    ("R41", |s| register(s, format!("sep=;\n{HEADER}{GOOD}"))),
    ("R42", |s| row(s, &format!("{};", GOOD.trim_end()))),
    ("R43", |s| {
        let bench = s.new_node();
        let run = Run::new("koonti-node").arg("--config").arg(bench.path("node.toml"));
        bench.tries(run.words("import --dry-run --report").arg(bench.path("register.toml")))
    }),
    ("R44", |s| s.node().node("import")),
    ("M19", |s| {
        let bench = s.new_node().edit("register.toml", "birth_year", "birth_date");
        bench.edit("register.toml", "d.m.yyyy", "quarter").node("import --dry-run")
    }),
];
