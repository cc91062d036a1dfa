//! Mappings that are refused, and where.

use super::*;

fn refused(mapping: &str) -> String {
    let site = Site::new(mapping, format!("{HEADER}\n").as_bytes());
    let message = site.import().err().expect("the mapping must be refused").to_string();
    let path = format!("{}", site.0.path().join("register.toml").display());
    message.strip_prefix(&path).expect(&message).to_owned()
}

fn without(line: &str) -> String {
    assert!(MAPPING.contains(line));
    MAPPING.replace(line, "")
}

fn with(from: &str, to: &str) -> String {
    assert!(MAPPING.contains(from));
    MAPPING.replace(from, to)
}

#[test]
fn unknown_keys_and_values_are_refused_with_line_and_column() {
    let message = refused(&with("[restrict]", "[restrict]\n  skip_if = []"));
    assert_eq!(message, " line 22, column 3: unknown field `skip_if`, expected `exclude_if` or `hide_area_if`");
    for (from, to, line, column, word) in [
        ("source =", "sauce =", 2, 1, "unknown field `sauce`"),
        ("decimal =", "decimals =", 9, 1, "unknown field `decimals`"),
        ("need =", "needs =", 16, 1, "unknown field `needs`"),
        ("value = \"k\" }\n", "values = \"k\" }\n", 17, 38, "unknown field `values`"),
        ("\"utf-8\"", "\"latin1\"", 7, 12, "unknown variant `latin1`, expected `windows-1252` or `utf-8`"),
        ("\"d.m.yyyy\"", "\"yyyy-mm-dd\"", 8, 8, "unknown variant `yyyy-mm-dd`, expected `d.m.yyyy`"),
        ("decimal = \",\"", "decimal = \";\"", 9, 11, "unknown variant `;`"),
        ("\";\"", "\"|\"", 6, 13, "the delimiter must be \";\", \",\" or \"\\t\" (tab)"),
        ("source = \"adult-social-work\"", "source = \"Adult\"", 2, 10, "a name has 1 to 63 characters"),
        ("file =", "file", 4, 6, ""),
        ("D02 = \"D02\"", "D01 = \"D02\"", 20, 1, "duplicate key"),
    ] {
        let message = refused(&with(from, to));
        assert!(message.starts_with(&format!(" line {line}, column {column}: {word}")), "{to}: {message}");
    }
}

#[test]
fn every_key_but_primary_and_scores_is_mandatory() {
    for line in MAPPING.lines().filter(|l| l.contains(" = ") && !l.starts_with("primary") && !l.starts_with('D')) {
        let key = line.split(" = ").next().unwrap();
        let message = refused(&without(line));
        assert!(message.ends_with(&format!("missing field `{key}`")), "{message}");
    }
    let restrict = MAPPING.find("[restrict]").unwrap();
    assert!(refused(&MAPPING[..restrict]).ends_with("missing field `restrict`"));
}

#[test]
fn a_column_has_one_meaning_and_a_name() {
    let both = |first, second, column| {
        format!(": {first} and {second} both name the column \"{column}\": a column holds one thing only")
    };
    assert_eq!(refused(&with("\"kotikunta\"", "\" tarve \"")), both("columns.area", "columns.need", "tarve"));
    assert_eq!(refused(&with("\"ensisijainen\"", "\"pvm\"")), both("columns.date", "columns.primary", "pvm"));
    assert_eq!(
        refused(&with("D02 = \"D02\"", "D02 = \"D01\"")),
        both("columns.scores.D01", "columns.scores.D02", "D01")
    );
    assert_eq!(refused(&with("\"kielto\"", "\"asiakas\"")), both("columns.client", "restrict.exclude_if", "asiakas"));
    assert_eq!(
        refused(&with("\"turvakielto\"", "\"kotikunta\"")),
        both("columns.area", "restrict.hide_area_if", "kotikunta")
    );

    let unnamed = |key| format!(": {key} names no column: write the column's name as it stands in the header");
    assert_eq!(refused(&with("sex = \"sukupuoli\"", "sex = \" \"")), unnamed("columns.sex"));
    assert_eq!(refused(&with("\"kielto\"", "\"\"")), unnamed("restrict.exclude_if"));
    let empty = |key| format!(": {key} looks for an empty value: write the value that marks a row");
    assert_eq!(refused(&with("\"kielto\", value = \"k\"", "\"kielto\", value = \" \"")), empty("restrict.exclude_if"));
    assert_eq!(
        refused(&with("\"ensisijainen\", value = \"k\"", "\"ensisijainen\", value = \"\"")),
        empty("columns.primary")
    );

    let person = |key| format!(": {key} holds what looks like a personal identity code: is the header missing?");
    assert_eq!(refused(&with("\"asiakas\"", "\"131052-308T\"")), person("columns.client"));
    assert_eq!(
        refused(&with("\"turvakielto\", value = \"k\"", "\"turvakielto\", value = \"131052-308T\"")),
        person("restrict.hide_area_if")
    );
}

#[test]
fn the_codebook_must_have_what_is_mapped() {
    assert_eq!(refused(&with("D02 = \"D02\"", "D99 = \"D02\"")), ": columns.scores: the codebook has no score \"D99\"");
    let json = r#"{"v":1,"source":"","dimensions":[],"scores":[]}"#;
    let site = Site::new(&MAPPING.replace("D01 = \"D01\"\nD02 = \"D02\"\n", ""), format!("{HEADER}\n").as_bytes());
    let message =
        import(&site.mapping().unwrap(), &Codebook::parse(json).unwrap(), &TAG_KEY).err().unwrap().to_string();
    assert!(
        message.ends_with("register.toml: the codebook has no dimension \"age_group\" of the right kind"),
        "{message}"
    );
}

#[test]
fn what_the_tally_refuses_is_passed_on() {
    let json = include_str!("../../../../config/codebook.json").replacen("\"hi\": 10", "\"hi\": 1000", 1);
    let codebook = Codebook::parse(&json).unwrap();
    assert_eq!(codebook.scores()[0].hi, 1000);
    let site = Site::new(MAPPING, format!("{HEADER}\na;1.7.2026;;;;;;;;;;\n").as_bytes());
    let message = import(&site.mapping().unwrap(), &codebook, &TAG_KEY).err().unwrap().to_string();
    assert_eq!(message, "the codebook has a score whose range is empty or wider than 127");
}
