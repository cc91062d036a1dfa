//! What registers write, and what it becomes.

use super::*;

/// The example that ships, so that it cannot rot.
const EXAMPLE: &str = include_str!("../../../../config/register.toml");

#[test]
fn the_example_mapping_reads_a_finnish_register() {
    let register = windows_1252(concat!(
        "asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;tarve;ensisijainen;",
        "D01;D02;D03;D04;D05;D06;D07;D08;D09;D10;kielto;turvakielto\r\n",
        "131052-308T;01.07.2026;1980;nainen;46;N03;k;6,0;;;;;;6,5;;;10;;\r\n",
        "131052-308T;01.07.2026;1980;nainen;46;N08;e;6,0;;;;;;6,5;;;10;;\r\n",
        "äijä;1.8.2026;2000;1;S:t Michel;Taloudellisen tuen tarve;e;;;;;;;;;;;;\r\n",
        "ville;30.9.2026;1940;MIES;Valtimo;;e;0;;;;;;;;;;;\r\n",
        "anna;30.9.2026;1940;9;911;n10;e;;;;;;;;;;;;\r\n",
    ));
    let site = Site::new(EXAMPLE, &register);
    assert_eq!(site.mapping().unwrap().register.as_str(), "adult-social-work");
    let imported = site.import().unwrap();
    assert_eq!(imported.periods(), ["2026Q3"]);
    let seen = |key| imported.seen("2026Q3", key).unwrap();
    assert_eq!(seen("131052-308T"), "45-54 046 2 | N03! N08 | D01=6 D07=6.5 D10=10");
    assert_eq!(seen("äijä"), "25-34 491 1 | N03 |");
    assert_eq!(seen("ville"), "65- 541 1 | unknown | D01=0");
    assert_eq!(seen("anna"), "65- 541 unknown | N10 |");
    assert_eq!((imported.rows, imported.clients), (5, 4));
    assert_eq!((imported.excluded, imported.area_hidden, imported.outside), (0, 0, 0));
}

#[test]
fn the_alternatives_of_the_example_are_understood() {
    let alternatives: Vec<&str> = EXAMPLE.lines().filter_map(|line| line.strip_prefix("#     ")).collect();
    assert_eq!(alternatives.len(), 23);
    let line_of = |key: &str| EXAMPLE.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
    for alternative in &alternatives {
        let key = match alternative.split(" = ").next().unwrap() {
            "birth_date" | "age" | "age_group" => "birth_year",
            key => key,
        };
        // What is optional has no line of its own: it stands behind another's.
        let mut mapping = match key {
            "household" | "labour_status" | "factors" | "service_task" => {
                EXAMPLE.replace(line_of("area"), &format!("{}\n{alternative}", line_of("area")))
            }
            "coverage" => EXAMPLE.replace(line_of("register"), &format!("{}\n{alternative}", line_of("register"))),
            key => EXAMPLE.replace(line_of(key), alternative),
        };
        // Needs and what is primary go together.
        match key {
            "need" => mapping = mapping.replace(line_of("primary"), ""),
            "primary" => mapping = mapping.replace(line_of("need"), alternatives[0]),
            _ => {}
        }
        Site::new(&mapping, b"").mapping().unwrap_or_else(|error| panic!("{alternative}: {error}"));
    }
}

#[test]
fn other_dialects_mean_the_same() {
    let rows = "a;1.7.2026;1980;1;Pieksämäki;N01;k;6,5;;;;\n";
    let plain = import_rows(rows).unwrap().bytes();
    let with = |from: &str, to: &str, register: &[u8]| {
        assert!(MAPPING.contains(from));
        Site::new(&MAPPING.replace(from, to), register).import().unwrap().bytes()
    };
    let text = format!("{HEADER}\n{rows}");
    assert_eq!(with("utf-8", "windows-1252", &windows_1252(&text)), plain);
    assert_eq!(with("utf-8", "utf-8", format!("\u{FEFF}{text}").as_bytes()), plain);
    assert_eq!(with("utf-8", "utf-8", text.trim_end().as_bytes()), plain, "no last line end");
    let tabs = text.replace(';', "\t");
    assert_eq!(with("delimiter = \";\"", "delimiter = \"\\t\"", tabs.as_bytes()), plain);
    let commas = text.replace("6,5", "\"6,5\"").replace(';', ",");
    assert_eq!(with("delimiter = \";\"", "delimiter = \",\"", commas.as_bytes()), plain);
    let point = text.replace("6,5", "6.5");
    assert_eq!(with("decimal = \",\"", "decimal = \".\"", point.as_bytes()), plain);
    for end in ["\r\n", "\r", "\n\n"] {
        assert_eq!(with("utf-8", "utf-8", text.replace('\n', end).as_bytes()), plain, "{end:?}");
    }
}

#[test]
fn columns_are_found_by_name_wherever_they_stand() {
    let register = concat!(
        "D02;;turvakielto;kielto; tarve ;\u{A0}asiakas;D01;sukupuoli;\"pvm\";ensisijainen;;syntymävuosi;kotikunta\n",
        "7;a note;;;N02; a ;1; 1 ;\"1.7.2026\" ;k;\"another; with\nbreak and \"\"quotes\"\"\";1980;\u{A0}491\n",
    );
    let register = register.replace("\"1.7.2026\" ;", "\"1.7.2026\";");
    let imported = Site::new(MAPPING, register.as_bytes()).import().unwrap();
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N02! | D01=1 D02=7");
}

#[test]
fn columns_that_are_not_mapped_may_hold_anything() {
    let note = "131052-308T ".repeat(1000);
    let imported = import_rows(&format!("a;1.7.2026;1980;1;491;N01;;;;;;{note}\n")).unwrap();
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N01 |");
}

#[test]
fn an_optional_column_may_be_left_out_of_the_mapping() {
    let mapping = MAPPING.replace("primary = { column = \"ensisijainen\", value = \"k\" }", "");
    let mapping = mapping.replace("D02 = \"D02\"", "");
    let register = format!("{HEADER}\na;1.7.2026;1980;1;491;N01;k;5;5;;;\n");
    let imported = Site::new(&mapping, register.as_bytes()).import().unwrap();
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N01 | D01=5");
}

#[test]
fn the_codebook_decides_the_order_and_what_is_unknown() {
    let code = |code: &str| format!(r#"{{"code":"{code}","fi":"{code}.","sv":"{code}.","en":"{code}."}}"#);
    let dimension = |id: &str, kind: &str, codes: &[&str]| {
        let codes: Vec<String> = codes.iter().map(|c| code(c)).chain([code("unknown")]).collect();
        format!(r#"{{"id":"{id}","kind":"{kind}","fi":"","sv":"","en":"","codes":[{}]}}"#, codes.join(","))
    };
    let dimensions = [
        dimension("factor", "several", &["F1"]),
        dimension("area", "exclusive", &["046", "491"]),
        dimension("labour", "exclusive", &["L1"]),
        dimension("need", "several", &["N1", "N2"]),
        dimension("age_group", "exclusive", &["90-"]).replace(r#""code":"90-","#, r#""code":"90-","ages":[90,99],"#),
        dimension("sex", "exclusive", &["m", "f"]),
    ];
    let score = |id: &str| format!(r#"{{"id":"{id}","fi":"","sv":"","en":"","lo":-2,"hi":2}}"#);
    let scores = [score("D00"), score("D02"), score("D01")].join(",");
    let json = format!(r#"{{"v":1,"source":"","dimensions":[{}],"scores":[{scores}]}}"#, dimensions.join(","));
    let codebook = Codebook::parse(&json).unwrap();
    let rows = "a;1.7.2026;1936;f;46;N1;k;-1,5;2;;;\nb;1.7.2026;1937;f;46;N2;k;;;;;\n";
    let site = Site::new(MAPPING, format!("{HEADER}\n{rows}").as_bytes());
    let imported = import(&site.mapping().unwrap(), &codebook, &TAG_KEY).unwrap();
    let seen = imported.seen_by(&codebook, "2026Q3", "a").unwrap();
    // Scores come out over their lowest value.
    assert_eq!(seen, "046 unknown 90- f | unknown/N1! | D02=4 D01=0.5");
    assert_eq!(imported.seen_by(&codebook, "2026Q3", "b"), None, "89 has no category in this codebook");
    assert_eq!(imported.outside, 1);
}
