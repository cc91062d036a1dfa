//! Households, labour status, contributing factors and service tasks.

use super::*;

/// [`MAPPING`] with all four, the several in the given layouts.
fn mapped(factors: &str, task: &str) -> String {
    let all = format!(
        "need = \"tarve\"\nhousehold = \"talous\"\nlabour_status = \"toiminta\"\nfactors = {factors}\nservice_task = {task}"
    );
    mapping_with(&[("need = \"tarve\"", &all)])
}

const COLUMNS: &str =
    "asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;tarve;ensisijainen;D01;D02;kielto;turvakielto;talous;toiminta";

fn register(columns: &str, rows: &[&str]) -> Vec<u8> {
    format!("{COLUMNS};{columns}\n{}\n", rows.join("\n")).into_bytes()
}

fn seen(mapping: &str, register: &[u8], key: &str) -> String {
    Site::new(mapping, register).import().unwrap().seen("2026Q3", key).unwrap()
}

#[test]
fn the_latest_household_and_status_count() {
    let rows = [
        "a;1.7.2026;1980;1;491;N01;;;;;;H1;12;;",
        "a;2.8.2026;;;;;;;;;;Yhden huoltajan perhe;eläkeläinen;;",
        "a;3.8.2026;;;;;;;;;;;;;",
        "b;1.7.2026;1980;1;491;N01;;;;;;muu;29;;",
    ];
    let file = register("tekija;tehtava", &rows);
    let mapping = mapped("\"tekija\"", "\"tehtava\"");
    assert_eq!(seen(&mapping, &file, "a"), "45-54 491 1 H41 24 | N01 |");
    assert_eq!(seen(&mapping, &file, "b"), "45-54 491 1 24 | N01 |", "an unemployment pension is a pension");
}

#[test]
fn a_row_means_each_combination_in_each_layout() {
    let expected = "45-54 491 1 | N01/F03/P6! N01/F04/P6! |";
    let one =
        register("tekija;tehtava", &["a;1.7.2026;1980;1;491;N01;k;;;;;;;F04;P6", "a;2.7.2026;;;;N01;k;;;;;;;F03;P6"]);
    assert_eq!(seen(&mapped("\"tekija\"", "\"tehtava\""), &one, "a"), expected);
    let list = register("tekijat;tehtava", &["a;1.7.2026;1980;1;491;N01;k;;;;;;;F03|F04;Aikuissosiaalityö"]);
    assert_eq!(seen(&mapped("{ column = \"tekijat\", separator = \"|\" }", "\"tehtava\""), &list, "a"), expected);
    let columns = register("t1;t2;p1;p2", &["a;1.7.2026;1980;1;491;N01;k;;;;;;;Köyhyys;F03;;P6"]);
    let mapping = mapped("{ columns = [\"t1\", \"t2\"] }", "{ columns = [\"p1\", \"p2\"] }");
    assert_eq!(seen(&mapping, &columns, "a"), expected);
    let both = register("t1;t2;p1;p2", &["a;1.7.2026;1980;1;491;N01;;;;;;;;F01;F02;P5;P6"]);
    assert_eq!(seen(&mapping, &both, "a"), "45-54 491 1 | N01/F01/P5 N01/F01/P6 N01/F02/P5 N01/F02/P6 |");
}

#[test]
fn what_a_row_does_not_say_is_unknown_in_its_combinations() {
    let mapping = mapped("\"tekija\"", "\"tehtava\"");
    let rows = [
        "a;1.7.2026;1980;1;491;N01;;;;;;;;;",
        "a;2.7.2026;;;;;;;;;;;;F07;P6",
        "a;3.7.2026;;;;;k;;;;;;;;",
        "b;1.7.2026;1980;1;491;;;;;;;;;;",
    ];
    let file = register("tekija;tehtava", &rows);
    assert_eq!(seen(&mapping, &file, "a"), "45-54 491 1 | N01 unknown/F07/P6 |", "the third row names nothing");
    assert_eq!(seen(&mapping, &file, "b"), "45-54 491 1 | unknown |");
}

#[test]
fn what_means_nothing_or_too_much_is_refused_by_rule() {
    let refused = |mapping: &str, file: &[u8]| Site::new(mapping, file).import().err().unwrap().to_string();
    let mapping = mapped("{ column = \"tekijat\", separator = \"|\" }", "\"tehtava\"");
    let with = |fields: &str| {
        register("tekijat;tehtava", &["b;1.7.2026;;;;;;;;;;;;;", &format!("a;1.7.2026;1980;1;491;N01;;;;;;{fields}")])
    };
    for (fields, message) in [
        ("H4;;;", "line 3, column \"talous\": not a household type of the codebook, by code or name"),
        (";21;;", "line 3, column \"toiminta\": not a labour status of the codebook, by code or name"),
        (
            ";;F01|X9;",
            "line 3, column \"tekijat\": not contributing factors of the codebook, by code or name, with '|' between them",
        ),
        (";;;P9", "line 3, column \"tehtava\": not a service task of the codebook, by code or name"),
        (";;131052-308T;", "line 3, column \"tekijat\": looks like a personal identity code"),
    ] {
        let found = refused(&mapping, &with(fields));
        assert!(found.ends_with(message), "{found}");
    }
    let needs = vec!["N01"; 32].join(",");
    let mapping = mapping.replace("need = \"tarve\"", "need = { column = \"tarve\", separator = \",\" }");
    let mapping = mapping.replace("primary = { column = \"ensisijainen\", value = \"k\" }", "");
    let many = |factors: usize| {
        let factors = vec!["F01"; factors].join("|");
        register("tekijat;tehtava", &[&format!("a;1.7.2026;1980;1;491;{needs};;;;;;;;{factors};P6")])
    };
    assert_eq!(Site::new(&mapping, &many(8)).import().unwrap().slices.values().next().unwrap().rows(), 256);
    let found = refused(&mapping, &many(9));
    assert!(found.contains("line 2, column \"tekijat\": a row that stands for more than 256 combinations"), "{found}");
    // Whoever is restricted does not stop the import.
    let restricted = String::from_utf8(many(9)).unwrap().replace(&format!("{needs};;;;;"), &format!("{needs};;;;k;"));
    assert_eq!(Site::new(&mapping, restricted.as_bytes()).import().unwrap().excluded, 1);
}

#[test]
fn a_draft_finds_them_and_an_old_mapping_means_what_it_meant() {
    let row = |n: usize| {
        format!(
            "{n};{}.8.2026;1980;{};491;N0{};;;;k;;{};{};{};P{}",
            1 + n % 28,
            1 + n % 2,
            1 + n % 9,
            ["H1", "H3", "Yhden huoltajan perhe", "muu"][n % 4],
            ["11", "12", "työtön"][n % 3],
            ["F01", "F02|F07", "", "F04|F05|F06"][n % 4],
            1 + n % 7,
        )
    };
    let rows: Vec<String> = (0..40).map(row).collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let file = register("tekijat;palvelutehtava", &rows);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.csv");
    fs::write(&path, &file).unwrap();
    let text = crate::source::draft(&path, folder.path(), Codebook::built_in()).unwrap();
    for line in [
        "household = \"talous\"",
        "labour_status = \"toiminta\"",
        "factors = { column = \"tekijat\", separator = \"|\" }",
        "service_task = \"palvelutehtava\"",
        "need = \"tarve\"",
    ] {
        assert!(text.lines().any(|found| found == line), "no {line} in {text}");
    }
    // A spelling that the codebook does not know is shown when ten clients have it.
    let strange = |name: &str, clients: usize| {
        let row = |n| format!("s{n};1.8.2026;1980;1;491;N01;;;;e;;{name};11;F01;P1\n");
        (0..clients).map(row).collect::<String>()
    };
    let strange = String::from_utf8(file.clone()).unwrap() + &strange("Kommuuni", 12) + &strange("Harvinainen", 9);
    fs::write(&path, strange).unwrap();
    let text = crate::source::draft(&path, folder.path(), Codebook::built_in()).unwrap();
    assert!(text.contains("often: \"Kommuuni\"") && !text.contains("Harvinainen"), "{text}");

    let old = Site::new(MAPPING, &file);
    let (mapping, imported) = (old.mapping().unwrap(), old.import().unwrap());
    assert_eq!(mapping.dimensions(), ["age_group", "sex", "area", "need"]);
    // Everybody is restricted: nobody counts, whoever maps what.
    assert_eq!((imported.clients, imported.excluded), (40, 40));
}
