//! Which rows make which clients: latest values, restrictions, tags.

use super::*;

#[test]
fn the_latest_value_of_each_column_counts_whatever_the_order() {
    let rows =
        ["a;1.8.2026;1980;1;491;N01;;3;8;;;\n", "a;31.7.2026;1960;2;205;N02;;4;9;;;\n", "a;30.9.2026;;;;;;;7;;;\n"];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let imported = import_rows(&order.map(|i| rows[i]).concat()).unwrap();
        assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 491 1 | N01 N02 | D01=3 D02=7", "{order:?}");
    }
}

#[test]
fn on_one_date_the_smallest_position_counts() {
    let rows = ["a;1.7.2026;1980;2;491;;;3;;;;\n", "a;1.7.2026;1999;1;205;;;2,5;;;;\n"];
    for rows in [rows.concat(), [rows[1], rows[0]].concat()] {
        assert_eq!(import_rows(&rows).unwrap().seen("2026Q3", "a").unwrap(), "25-34 205 1 | unknown | D01=2.5");
    }
    // A recorded unknown is a value, and the last one of its dimension.
    let unknown =
        "a;1.7.2026;;9;999;;;;;;;\na;1.7.2026;;2;491;;;;;;;\nb;1.7.2026;;1;491;;;;;;;\nb;2.7.2026;;9;999;;;;;;;\n";
    let imported = import_rows(unknown).unwrap();
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "unknown 491 2 | unknown |");
    assert_eq!(imported.seen("2026Q3", "b").unwrap(), "unknown unknown unknown | unknown |");
}

#[test]
fn every_period_stands_for_itself() {
    let imported = import_rows(concat!(
        "a;31.12.2025;1980;1;491;N01;k;5;;;;\n",
        "a;1.1.2026;;;;N02;;;;;;\n",
        "b;31.3.2026;1980;1;491;N01;;;;;;\n",
        "a;1.4.2026;1980;2;;;;;;;;\n",
    ))
    .unwrap();
    assert_eq!(imported.periods(), ["2025Q4", "2026Q1", "2026Q2"]);
    assert_eq!(imported.seen("2025Q4", "a").unwrap(), "45-54 491 1 | N01! | D01=5");
    assert_eq!(imported.seen("2026Q1", "a").unwrap(), "unknown unknown unknown | N02 |");
    assert_eq!(imported.seen("2026Q1", "b").unwrap(), "45-54 491 1 | N01 |");
    assert_eq!(imported.seen("2026Q2", "a").unwrap(), "45-54 unknown 2 | unknown |");
    assert_eq!(imported.seen("2025Q4", "b"), None);
    assert_eq!((imported.rows, imported.clients), (4, 2));
}

#[test]
fn needs_are_kept_row_by_row() {
    let imported = import_rows(concat!(
        "a;1.7.2026;;;;N05;;;;;;\na;1.7.2026;;;;;k;;;;;\na;2.7.2026;;;;N05;K;;;;;\na;3.7.2026;;;;N01;e;;;;;\n",
        "a;4.7.2026;;;;N05;;;;;;\n",
        "b;1.7.2026;;;;;k;;;;;\nb;2.7.2026;;;;;;;;;;\n",
        "c;1.7.2026;;;;N99;k;;;;;\nc;2.7.2026;;;;N02;;;;;;\n",
    ))
    .unwrap();
    let needs = |key| imported.seen("2026Q3", key).unwrap().split('|').nth(1).unwrap().trim().to_owned();
    assert_eq!(needs("a"), "N01 N05! N05 N05");
    assert_eq!(needs("b"), "unknown");
    assert_eq!(needs("c"), "N02 unknown!");
}

#[test]
fn clients_under_18_are_counted_in_no_period_of_that_age() {
    let imported = import_rows(concat!(
        "a;31.12.2025;2008;1;491;N01;;;;;;\n",
        "a;1.1.2026;2008;1;491;N01;;;;;;\n",
        "b;1.1.2026;2020;1;491;N01;;;;;;\n",
        "c;1.1.2026;2020;1;491;N01;;;;;;\nc;2.1.2026;1980;1;491;N01;;;;;;\n",
        "d;1.1.2026;1980;1;491;N01;;;;;;\nd;2.1.2026;2020;1;491;N01;;;;;;\n",
        "e;1.1.2026;2020;1;491;N01;;;;;;\ne;1.1.2026;1980;1;491;N01;;;;;;\n",
    ))
    .unwrap();
    assert_eq!(imported.periods(), ["2025Q4", "2026Q1"]);
    assert_eq!(imported.slices.values().next().unwrap().clients(), 0);
    assert_eq!(imported.seen("2026Q1", "a").unwrap(), "18-24 491 1 | N01 |");
    assert_eq!(imported.seen("2026Q1", "b"), None);
    assert_eq!(imported.seen("2026Q1", "c").unwrap(), "45-54 491 1 | N01 N01 |", "the later birth year counts");
    assert_eq!(imported.seen("2026Q1", "d"), None);
    assert_eq!(imported.seen("2026Q1", "e").unwrap(), "45-54 491 1 | N01 N01 |", "no position is behind all");
    assert_eq!((imported.clients, imported.outside), (5, 3));
}

#[test]
fn excluded_clients_are_as_if_they_were_not_in_the_file() {
    let others = "b;1.7.2026;1980;1;491;N01;;;;;;\nc;1.7.2026;1980;1;491;N01;;;;e;;\n";
    let imported = import_rows(&format!(
        "a;1.1.2026;1980;1;491;N01;;;;;;\na;1.7.2026;1980;Kanarialintu;Kanarialintu;N01;;;;;;\n{others}a;2.7.2026;;;;;;;; K ;k;\n"
    ))
    .unwrap();
    assert_eq!(imported.periods(), ["2026Q3"], "the first quarter held nobody else");
    assert_eq!(imported.seen("2026Q3", "a"), None);
    assert!(imported.seen("2026Q3", "b").is_some() && imported.seen("2026Q3", "c").is_some());
    assert_eq!(imported.bytes(), import_rows(others).unwrap().bytes());
    assert_eq!((imported.rows, imported.clients, imported.excluded, imported.area_hidden), (5, 3, 1, 0));
}

#[test]
fn hidden_areas_are_unknown_in_every_period() {
    let imported = import_rows(concat!(
        "a;1.1.2026;1980;1;491;N01;;;;;;\n",
        "a;1.4.2026;1980;1;Kanarialintu;N01;;;;;;\n",
        "a;1.7.2026;1980;1;205;N01;;;;;k;\n",
        "a;2.7.2026;1980;1;205;N01;;;;;;\n",
        "b;1.7.2026;1980;1;205;N01;;;;;e;\n",
    ))
    .unwrap();
    for period in ["2026Q1", "2026Q2"] {
        assert_eq!(imported.seen(period, "a").unwrap(), "45-54 unknown 1 | N01 |");
    }
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 unknown 1 | N01 N01 |");
    assert_eq!(imported.seen("2026Q3", "b").unwrap(), "45-54 205 1 | N01 |");
    assert_eq!((imported.excluded, imported.area_hidden), (0, 1));
}

#[test]
fn a_column_may_restrict_with_several_values() {
    let one_column = MAPPING
        .replace("value = \"k\" }]\nhide", "value = \"Kielto\" }, { column = \"kielto\", value = \"kuollut\" }]\nhide")
        .replace("column = \"turvakielto\", value = \"k\"", "column = \"kielto\", value = \"turva\"");
    let rows = concat!(
        "a;1.7.2026;1980;1;491;N01;;;;kielto;;\nb;1.7.2026;1980;1;491;N01;;;;KUOLLUT;;\n",
        "c;1.7.2026;1980;1;491;N01;;;;turva;;\nd;1.7.2026;1980;1;491;N01;;;;ei;;\n",
    );
    let imported = Site::new(&one_column, format!("{HEADER}\n{rows}").as_bytes()).import().unwrap();
    assert_eq!((imported.excluded, imported.area_hidden), (2, 1));
    assert_eq!(imported.seen("2026Q3", "c").unwrap(), "45-54 unknown 1 | N01 |");
    assert_eq!(imported.seen("2026Q3", "d").unwrap(), "45-54 491 1 | N01 |");
}

#[test]
fn what_is_neither_a_mark_nor_none_ends_the_import() {
    let fault = |column: &str, mapping: &str, row: &str| {
        let rows = format!("a;1.7.2026;1980;1;491;N01;;;;;;\n{row}");
        let message = refused::refused_by(mapping, format!("{HEADER}\n{rows}\n").as_bytes());
        let rule = "neither a mark nor a value that says there is none: correct it, or list it under `otherwise`";
        assert_eq!(message, format!("register.csv line 3, column \"{column}\": {rule}"), "{row}");
    };
    let on_hold = MAPPING.replace("\"kielto\", value = \"k\"", "\"kielto\", value = \"Käsittely rajoitettu\"");
    let one = MAPPING.replace("\"turvakielto\", value = \"k\"", "\"turvakielto\", value = \"1\"");
    let row = |kielto: &str, turvakielto: &str| format!("b;1.7.2026;1980;1;491;N01;;;;{kielto};{turvakielto};");
    for spelling in [
        "Kasittely rajoitettu",
        "Käsittely\u{200B} rajoitettu",
        "Ka\u{308}sittely rajoitettu",
        "KÃ¤sittely rajoitettu",
        "Käsittelyrajoitettu",
        "Käsittely rajoitettu.",
        "x",
        "\u{200B}",
    ] {
        fault("kielto", &on_hold, &row(spelling, ""));
        // Nor may it stand in a row of somebody who is dropped.
        fault("kielto", &on_hold, &format!("{}\n{}", row(spelling, ""), row("käsittely rajoitettu", "")));
    }
    for spelling in ["1.0", "1,0", "01", "k", "true", "kyllä", "\u{FF11}"] {
        fault("turvakielto", &one, &row("", spelling));
    }
    // Spaces and the case of letters say nothing.
    for spelling in ["käsittely rajoitettu", "KÄSITTELY  RAJOITETTU", "\u{A0}Käsittely\u{A0}rajoitettu\u{202F}"] {
        let register = format!("{HEADER}\n{}\n", row(spelling, ""));
        assert_eq!(Site::new(&on_hold, register.as_bytes()).import().unwrap().excluded, 1, "{spelling}");
    }
    let none = "Ei,e,ei\u{A0}ole,Epätosi,nej,N,no,FALSKT,False,0,-, \u{A0},";
    for spelling in none.split(',') {
        let register = format!("{HEADER}\n{}\n", row(spelling, spelling));
        let imported = Site::new(&on_hold, register.as_bytes()).import().unwrap();
        assert_eq!((imported.clients, imported.excluded, imported.area_hidden), (1, 0, 0), "{spelling}");
    }
}

#[test]
fn values_that_mark_nobody_may_be_listed() {
    let mapping = mapping_with(&[
        (
            "[{ column = \"kielto\", value = \"k\" }]",
            "[{ column = \"kielto\", value = \"Ei\", otherwise = [\"Voimassa\", \"pois\"] }]",
        ),
        (
            "[{ column = \"turvakielto\", value = \"k\" }]",
            "[{ column = \"turvakielto\", value = \"k\" }, { column = \"kielto\", value = \"pois\", otherwise = [\"ei\"] }]",
        ),
    ]);
    let rows = ["voimassa", "ei", "POIS", ""].iter().enumerate();
    let rows: String = rows.map(|(at, says)| format!("{at};1.7.2026;1980;1;491;N01;;;;{says};;\n")).collect();
    let imported = Site::new(&mapping, format!("{HEADER}\n{rows}").as_bytes()).import().unwrap();
    // What marks anywhere marks, also where it is listed or says no elsewhere.
    assert_eq!((imported.clients, imported.excluded, imported.area_hidden), (4, 1, 1));
    assert_eq!(imported.seen("2026Q3", "1"), None);
    assert_eq!(imported.seen("2026Q3", "2").unwrap(), "45-54 unknown 1 | N01 |");
}

#[test]
fn tags_depend_on_key_period_and_tag_key_alone() {
    let rows = "a;1.1.2026;1980;1;491;N01;;;;;;\na;1.7.2026;1980;1;491;N01;;;;;;\nb;1.7.2026;1980;1;491;N01;;;;;;\n";
    let site = Site::new(MAPPING, format!("{HEADER}\n{rows}").as_bytes());
    let mapping = site.mapping().unwrap();
    let tags = |tag_key| {
        let imported = import(&mapping, Codebook::built_in(), &tag_key).unwrap();
        let tags = imported.slices.values().flat_map(|s| s.to_bytes()[52..][..16 * s.clients()].to_vec());
        tags.collect::<Vec<u8>>().as_chunks::<16>().0.to_vec()
    };
    let (first, again, other) = (tags(TAG_KEY), tags(TAG_KEY), tags([8; 32]));
    assert_eq!(first, again);
    assert_eq!(first.len(), 3);
    let mut all = [first, other].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 6);
    // That the tag is the HMAC documented at `import` is what `seen` relies on.
    assert!(import_rows(rows).unwrap().seen("2026Q3", "b").is_some());
}
