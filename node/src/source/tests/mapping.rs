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
        (
            "\"utf-8\"",
            "\"latin1\"",
            7,
            12,
            "unknown variant `latin1`, expected one of `windows-1252`, `utf-8`, `iso-8859-15`, `iso-8859-1`",
        ),
        (
            "\"d.m.yyyy\"",
            "\"dd.mm.yyyy\"",
            8,
            8,
            "unknown variant `dd.mm.yyyy`, expected one of `d.m.yyyy`, `yyyy-mm-dd`, `d. month yyyy`, `quarter`",
        ),
        ("\"tarve\"", "7", 16, 8, "invalid type: integer `7`, expected a word in quotes or a table in braces"),
        ("\"tarve\"", "{ colum = \"a\" }", 16, 10, "unknown field `colum`"),
        ("\"tarve\"", "{ columns = \"a\" }", 16, 20, "invalid type: string \"a\", expected a sequence"),
        ("\"tarve\"", "{ column = \"a\", separator = \"N\" }", 16, 36, "the separator must be one punctuation mark"),
        ("\"tarve\"", "{ column = \"a\", separator = \", \" }", 16, 36, "the separator must be one punctuation mark"),
        ("\"tarve\"", "{ column = \"a\", separator = \"\" }", 16, 36, "the separator must be one punctuation mark"),
        ("\"tarve\"", "{ column = \"a\", separator = '\"' }", 16, 36, "the separator must be one punctuation mark"),
        ("\"tarve\"", "{ column = \"a\", separator = \"ä\" }", 16, 36, "the separator must be one punctuation mark"),
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
fn every_key_but_age_primary_and_scores_is_mandatory() {
    let optional = |line: &str| ["birth_year", "primary", "D"].iter().any(|key| line.starts_with(key));
    for line in MAPPING.lines().filter(|line| line.contains(" = ") && !optional(line)) {
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
    let marks =
        |with_value: &str| refused(&with("\"turvakielto\", value = \"k\"", &format!("\"turvakielto\", {with_value}")));
    assert_eq!(marks("value = \"131052-308T\""), person("restrict.hide_area_if"));
    assert_eq!(marks("value = \"k\", otherwise = [\"131052-308T\"]"), person("restrict.hide_area_if"));
    assert_eq!(marks("value = \"k\", otherwise = [\"\"]"), empty("restrict.hide_area_if"));
}

#[test]
fn exactly_one_column_says_how_old_clients_are() {
    let none = ": columns says nothing of the age of clients: name the column that holds it, under one of the keys \
                birth_year, birth_date, age and age_group";
    assert_eq!(refused(&without("birth_year = \"syntymävuosi\"\n")), none);
    let keys = ["birth_year", "birth_date", "age", "age_group"];
    for (at, first) in keys.iter().enumerate() {
        for second in &keys[at + 1..] {
            let both = format!("{second} = \"a\"\n{first} = \"b\"");
            assert_eq!(
                refused(&with("birth_year = \"syntymävuosi\"", &both)),
                format!(": columns.{first} and columns.{second} both say how old clients are: keep one of them")
            );
        }
        let twice = refused(&with("birth_year = \"syntymävuosi\"", &format!("{first} = \"pvm\"")));
        assert!(
            twice.starts_with(&format!(": columns.date and columns.{first} both name the column \"pvm\"")),
            "{twice}"
        );
    }
}

#[test]
fn a_birth_date_needs_days() {
    let quarters = mapping_with(&[("\"d.m.yyyy\"", "\"quarter\""), ("birth_year", "birth_date")]);
    assert_eq!(
        refused(&quarters),
        ": columns.birth_date needs days, but dates are written as quarters: name a column under birth_year, age or age_group"
    );
    let rows = "a;2026Q2;1980;1;491;N01;;;;;;\na;3/2026;1980;1;205;N02;;;;;;\n";
    let site = Site::new(&with("\"d.m.yyyy\"", "\"quarter\""), format!("{HEADER}\n{rows}").as_bytes());
    let imported = site.import().unwrap();
    assert_eq!(imported.periods(), ["2026Q2", "2026Q3"]);
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 205 1 | N02 |");
}

#[test]
fn needs_are_laid_out_in_one_of_three_ways() {
    let layout = ": columns.need must be the name of a column, { column = \"...\", separator = \",\" } or \
                  { columns = [\"...\", \"...\"] } with 2 to 64 columns";
    let many = format!("{{ columns = [{}] }}", "\"a\",".repeat(65));
    for bad in [
        "{}",
        "{ column = \"a\" }",
        "{ separator = \",\" }",
        "{ columns = [] }",
        "{ columns = [\"a\"] }",
        "{ columns = [\"a\", \"b\"], separator = \",\" }",
        "{ column = \"a\", columns = [\"a\", \"b\"] }",
        &many,
    ] {
        let mapping = with("need = \"tarve\"", &format!("need = {bad}"));
        let mapping = mapping.replace("primary = { column = \"ensisijainen\", value = \"k\" }\n", "");
        assert_eq!(refused(&mapping), layout, "{bad}");
    }
    let several = |columns: &str| {
        refused(&mapping_with(&[
            ("need = \"tarve\"", &format!("need = {{ columns = [{columns}] }}")),
            ("primary = { column = \"ensisijainen\", value = \"k\" }\n", ""),
        ]))
    };
    assert_eq!(
        several("\"tarve\", \"b\", \"tarve \""),
        ": place 1 of columns.need.columns and place 3 of columns.need.columns both name the column \"tarve\": \
         a column holds one thing only"
    );
    assert!(several("\"tarve\", \"\"").starts_with(": place 2 of columns.need.columns names no column"));
    assert!(
        several("\"tarve\", \"131052-308T\"").starts_with(": place 2 of columns.need.columns holds what looks like")
    );
    assert!(several("\"tarve\", \"pvm\"").starts_with(": columns.date and place 2 of columns.need.columns both name"));
    let separated = with("need = \"tarve\"", "need = { column = \"pvm\", separator = \",\" }");
    let separated = separated.replace("primary = { column = \"ensisijainen\", value = \"k\" }\n", "");
    assert!(refused(&separated).starts_with(": columns.date and columns.need.column both name the column \"pvm\""));
}

#[test]
fn what_is_primary_fits_the_layout_of_needs() {
    let several = ["{ column = \"tarve\", separator = \",\" }", "{ columns = [\"tarve\", \"huom\"] }"];
    for layout in several {
        assert_eq!(
            refused(&with("need = \"tarve\"", &format!("need = {layout}"))),
            ": columns.primary marks whole rows, but columns.need names several needs a row: \
             write primary = \"first\" if the first of them is the most important, or leave primary out"
        );
    }
    let primary = "{ column = \"ensisijainen\", value = \"k\" }";
    assert_eq!(
        refused(&with(primary, "\"first\"")),
        ": columns.primary = \"first\" means the first of several needs in a row, but columns.need names one need a row: \
         name the column that marks rows with the most important need, or let columns.need name several"
    );
    for need in several.into_iter().chain(["\"tarve\""]) {
        let mapping = mapping_with(&[("need = \"tarve\"", &format!("need = {need}")), (primary, "\"last\"")]);
        assert_eq!(refused(&mapping), ": columns.primary must be { column = \"...\", value = \"...\" } or \"first\"");
    }
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

#[test]
fn coverage_is_one_of_three_words_or_not_stated() {
    use koonti_disclosure::coverage::Coverage;
    let loaded = |mapping: &str| Site::new(mapping, HEADER.as_bytes()).mapping().unwrap().coverage;
    assert_eq!(loaded(MAPPING), None, "older mappings keep working");
    for coverage in [Coverage::All, Coverage::Pilot, Coverage::Some] {
        let line = format!("coverage = \"{}\"\nfile =", coverage.word());
        assert_eq!(loaded(&with("file =", &line)), Some(coverage));
    }
    let message = refused(&with("file =", "coverage = \"most\"\nfile ="));
    assert!(message.contains("unknown variant `most`, expected one of `all`, `pilot`, `some`"), "{message}");
}
