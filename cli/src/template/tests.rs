//! The plan of a sheet and its mapping; the workbook itself is held by `tests/twin/sheet.py`.

use super::*;
use std::collections::BTreeSet;

fn sheet(lang: &str, asked: Option<&[String]>) -> Sheet {
    Sheet::plan(Codebook::built_in(), lang, asked).unwrap()
}

#[test]
fn every_listed_text_means_its_code_and_every_code_is_listed() {
    let book = Codebook::built_in();
    for lang in words::ALL {
        let sheet = sheet(lang, None);
        let coded = CODED.iter().filter_map(|(id, _)| book.dimension(id));
        for (dimension, list) in coded.zip(&sheet.lists) {
            let meant: Vec<u16> = list.texts.iter().map(|text| dimension.recognise(text).expect(text)).collect();
            assert_eq!(meant.last(), Some(&dimension.unknown()));
            let distinct: BTreeSet<u16> = meant.iter().copied().collect();
            assert_eq!((distinct.len(), meant.len()), (dimension.codes().len(), dimension.codes().len()), "{lang}");
        }
    }
    let areas = &sheet("fi", None).lists[1].texts;
    let place = |name: &str| areas.iter().position(|text| text == name).expect(name);
    assert!(
        place("Ylöjärvi") < place("Äänekoski") && place("Äänekoski") < place("Ulkomaat tai tuntematon"),
        "as people look"
    );
}

#[test]
fn headings_differ_and_fit_into_what_excel_writes() {
    for lang in words::ALL {
        let sheet = sheet(lang, None);
        let headers: BTreeSet<&str> = sheet.columns.iter().map(|column| column.header.as_str()).collect();
        assert_eq!(headers.len(), sheet.columns.len(), "{lang}");
        // A plain "CSV" of Excel is windows-1252: nothing may be lost in it.
        let texts = sheet.lists.iter().flat_map(|list| &list.texts).map(String::as_str);
        for text in headers.into_iter().chain(texts) {
            let (_, _, lost) = encoding_rs::WINDOWS_1252.encode(text);
            assert!(!lost && text.trim() == text && !text.contains([';', '"', '\n']), "{lang}: {text}");
        }
        let words = Words::of(lang);
        assert!(words.wrong.chars().count() <= 32);
        for text in [words.not_listed, words.no_date, words.no_year, words.no_score] {
            assert!(text.chars().count() <= 255, "{text}");
        }
    }
}

#[test]
fn what_is_left_out_is_not_in_the_mapping() {
    let asked = ["D07".to_owned()];
    let few = sheet("fi", Some(&asked));
    let mapping = few.mapping("kirjaus.csv");
    assert!(mapping.contains("D07 = \"D07 talous\"") && !mapping.contains("D01"), "{mapping}");
    assert!(mapping.contains("need = { columns = [\"Tuen tarve 1 (tärkein)\", \"Tuen tarve 2\", \"Tuen tarve 3\"] }"));
    let stated = mapping.lines().filter(|line| line.starts_with("coverage"));
    assert_eq!(stated.count(), 0, "nothing is stated in the organisation's name");
    assert!(!sheet("fi", Some(&[])).mapping("a.csv").contains("[columns.scores]"));
    let refused = Sheet::plan(Codebook::built_in(), "fi", Some(&["age_group".to_owned()]));
    assert!(refused.err().unwrap().to_string().contains("no column can be made of \"age_group\""));
}
