//! Drafts: what is found, what is not shown, and that a draft reads what it was made of.

use super::*;
use crate::source::draft;

/// A column by its name and its field in the row with this number.
type Made = (&'static str, fn(usize) -> String);

/// A register that a draft finds nothing doubtful in, of as many clients as rows.
const MADE: [Made; 8] = [
    ("Asiakas", |n| format!("A-{n}")),
    ("Pvm", |n| format!("{}.8.2026", 1 + n % 28)),
    ("Syntymävuosi", |n| (1950 + n % 40).to_string()),
    ("Sukupuoli", |n| (1 + n % 2).to_string()),
    ("Kotikunta", |_| "491".to_owned()),
    ("Tarve", |n| format!("N{:02}", 1 + n % 9)),
    ("Turvakielto", |_| "e".to_owned()),
    ("Rajoitus", |_| String::new()),
];

/// Forty rows of [`MADE`], with other columns before it or in the place of its own.
fn made(others: &[Made]) -> String {
    let new = others.iter().filter(|(name, _)| MADE.iter().all(|(known, _)| known != name));
    let known = MADE.iter().map(|made| others.iter().find(|other| other.0 == made.0).unwrap_or(made));
    let columns: Vec<&Made> = new.chain(known).collect();
    let line = |fields: Vec<String>| fields.join(";") + "\n";
    let header = line(columns.iter().map(|(name, _)| (*name).to_owned()).collect());
    header + &(0..40).map(|n| line(columns.iter().map(|(_, field)| field(n)).collect())).collect::<String>()
}

fn draft_of(register: &[u8]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.csv");
    fs::write(&path, register).unwrap();
    let draft = draft(&path, folder.path(), Codebook::built_in()).map_err(|error| error.to_string())?;
    toml::from_str::<toml::Table>(&draft).unwrap_or_else(|error| panic!("{error}: {draft}"));
    Ok(draft)
}

fn drafted(register: &[u8]) -> String {
    draft_of(register).unwrap()
}

/// Imports a register by its draft, `extra` taken in behind it.
fn imported(register: &[u8], extra: &str) -> Imported {
    Site::new(&format!("{}{extra}", drafted(register)), register).import().unwrap()
}

fn bytes(imported: &Imported) -> Vec<Vec<u8>> {
    imported.slices.values().map(Slice::to_bytes).collect()
}

/// Forty clients in the dialect that the tests' own mapping reads.
fn plain() -> String {
    let row = |n: usize| {
        let (sex, need, marked) = (1 + n % 2, 1 + n % 9, if n.is_multiple_of(3) { "k" } else { "e" });
        format!("A-{n};{}.8.2026;{};{sex};491;N{need:02};;{};;{marked};e;note {n}\n", 1 + n % 28, 1950 + n % 40, n % 10)
    };
    format!("{HEADER}\n{}", (0..40).map(row).collect::<String>())
}

#[test]
fn a_draft_reads_what_it_was_made_of() {
    let register = plain();
    let text = drafted(register.as_bytes());
    let expected = Site::new(MAPPING, register.as_bytes()).import().unwrap();
    assert_eq!(expected.excluded, 14);
    // Nobody is marked in one of the two columns: the draft is no mapping until somebody
    // has said that this is true.
    assert!(Site::new(&text, register.as_bytes()).mapping().is_err(), "{text}");
    let unmarked = "# hide_area_if = [{ column = \"turvakielto\", value = \"\" }]";
    assert!(text.contains(unmarked), "{text}");
    let found = imported(register.as_bytes(), "\nhide_area_if = []\n");
    assert!(bytes(&found) == bytes(&expected), "{text}");
    assert_eq!(found.excluded, 14);
}

#[test]
fn other_dialects_are_found() {
    let row =
        |n: usize| format!("{n}\t2026-08-{:02}T10:00\t{}\tnainen\tKajaani\tN01|N0{}\n", 1 + n % 28, 20 + n, 2 + n % 8);
    let register = format!("kundnummer\tdatum\tålder\tkön\tkommun\tbehov\n{}", (0..40).map(row).collect::<String>());
    let (iso, _, _) = encoding_rs::ISO_8859_15.encode(&register);
    for (written, encoding) in [(register.as_bytes(), "utf-8"), (&*iso, "windows-1252")] {
        let text = drafted(written);
        for line in [
            &format!("encoding = \"{encoding}\""),
            "delimiter = \"\\t\"",
            "date = \"yyyy-mm-dd\"",
            "age = \"ålder\"",
            "need = { column = \"behov\", separator = \"|\" }",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
        let found = imported(written, "\nexclude_if = []\nhide_area_if = []\n");
        assert_eq!((found.rows, found.clients), (40, 40), "{text}");
    }
    let (iso, _, _) = encoding_rs::ISO_8859_15.encode("asiakas;pvm;huom\n1;1.8.2026;Žiga Šim\n");
    assert!(drafted(&iso).contains("iso-8859-15"));
    // The delimiter is what cuts the rows as it cuts the names.
    let named = made(&[]).replace("Tarve", "Tarve (N01, N02, N03, N04, N05, N06, N07, N08, N09, N10)");
    assert!(drafted(named.as_bytes()).contains("delimiter = \";\""));
}

#[test]
fn a_draft_shows_nobody() {
    let mut register = plain();
    // Twelve clients, nine, and one with many rows.
    for (name, clients, rows) in
        [("Kuuhoppa", 12, 1), ("131052308T", 12, 1), ("Harvinainen", 9, 2), ("Yksin asuva tie", 1, 30)]
    {
        for n in 0..clients {
            let note = if rows == 1 { "131052-308T" } else { "" };
            register += &format!("{name}-{n};5.8.2026;1980;1;{name};N01;;;;e;e;{note}\n").repeat(rows);
        }
    }
    register += "D-1;5.8.2026;1980;1;491;N01;;;;Virtanen;Korhonen;\n";
    let text = drafted(register.as_bytes());
    assert!(text.contains("often: \"Kuuhoppa\";"), "twelve clients are often: {text}");
    for hidden in ["Harvinainen", "Yksin", "131052", "A-1", "-11", "note", "Virtanen", "Korhonen"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
    assert!(text.ends_with("# Columns that are not looked into: D02, huom\n"), "{text}");
    // What marks somebody is not all shown: the line is none until somebody has seen to it.
    assert!(
        text.contains("# exclude_if = [{ column = \"kielto\", value = \"k\" }, { column = \"kielto\", value = \"\" }]"),
        "{text}"
    );
    // Where no column is called so, nobody knows how many clients have a spelling.
    let unnamed = drafted(register.replacen("asiakas", "nro", 1).as_bytes());
    assert!(!unnamed.contains("Kuuhoppa") && unnamed.contains("# No column is called so"), "{unnamed}");
}

/// Without names, the first row would be taken for them, and shown.
#[test]
fn the_first_line_must_name_the_columns() {
    let rows = made(&[]);
    let (names, rest) = rows.split_once('\n').unwrap();
    let (two_bytes, le) = ([0xFF, 0xFE], |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    let utf_16: Vec<u8> = two_bytes.into_iter().chain::<Vec<u8>>(le(&rows)).collect();
    for (register, said) in [
        (rest.as_bytes(), "line 1: column 2 holds what looks like data of a row: the first line must name the columns"),
        (b"Meri;N01\nMeri;N02\n", "column 2 holds"),
        (b"Meri;Kajaani\nMeri;Kajaani\n", "column 2 holds"),
        (b"Meri;1980\nMeri;1981\n", "column 2 holds"),
        (b"Meri;2026-08-01T10:00\nMeri;1981\n", "column 2 holds"),
        (b"Meri 131052-308T;x\nMeri;y\n", "the name of column 1 looks like a personal identity code"),
        (format!("Raportti 1.8.2026\n\n{rows}").as_bytes(), "line 1: a title: delete what stands above"),
        (format!("Raportti;;;;;;;\n{rows}").as_bytes(), "line 1: a title"),
        (
            format!("\u{FEFF}sep=;\n{rows}").as_bytes(),
            "line 1: the first line tells a spreadsheet program the delimiter: delete it",
        ),
        (&utf_16, "line 1: the file is UTF-16 (\"Unicode text\"): save it as \"CSV UTF-8\""),
        (b"PK\x03\x04\x14\x00", "is a spreadsheet or another packed file, not text: save it as \"CSV UTF-8\""),
        (b"", "the file is empty: its first line must name the columns"),
    ] {
        let error = draft_of(register).expect_err(said);
        assert!(error.contains(said), "{error}: {said}");
        assert!(!error.contains("Meri") && !error.contains("A-0"), "{error}");
    }
    assert!(!drafted(format!("{names}\n").as_bytes()).contains('%'), "no row, no shares");
}

#[test]
fn columns_are_taken_for_what_they_are() {
    let cases: [(&[Made], &[&str]); 22] = [
        (
            &[
                ("Vastuuhenkilö", |n| format!("Nieminen {}", n % 30)),
                ("Asiakasryhmä", |n| ["nuoret", "aikuiset"][n % 2].to_owned()),
                ("Asiakasnumero", |n| n.to_string()),
            ],
            &["client = \"Asiakasnumero\""],
        ),
        (&[("Vastuuhenkilön nro", |n| n.to_string())], &["client = \"Asiakas\""]),
        (
            &[("Asiakas vanha", |n| n.to_string()), ("Asiakasnumero", |n| n.to_string())],
            &["client = \"Asiakasnumero\""],
        ),
        (
            &[
                ("Kesto (aika min)", |_| "45".to_owned()),
                ("Ikä", |n| (20 + n).to_string()),
                ("Syntymävuosi", |_| String::new()),
            ],
            &["age = \"Ikä\""],
        ),
        (&[("Asiakaskäynnin tunnus", |n| n.to_string())], &["client = \"Asiakaskäynnin tunnus\"", "; or Asiakas"]),
        (&[("Kesto (aika min)", |_| "45".to_owned())], &["birth_year = \"Syntymävuosi\""]),
        (
            &[("Asiakkuus alkoi", |_| "1.1.2019".to_owned()), ("Kuolinpvm", |n| ["2.1.2026", ""][n.min(1)].to_owned())],
            &["date = \"Pvm\"", "# Other columns of dates: Asiakkuus alkoi, Kuolinpvm"],
        ),
        (&[("Pvm", |n| format!("{}.8.26", 1 + n % 28))], &["date = \"Pvm\"", "often: dates with a year of two digits"]),
        (&[("Pvm", |_| "10/08/2026".to_owned())], &["often: dates with slashes"]),
        (&[("Pvm", |n| ["1.8.2026", "2026-08-01"][n % 2].to_owned())], &["often: written yyyy-mm-dd"]),
        (&[("Pääasiallinen toiminta", |_| "11".to_owned())], &["labour_status = \"Pääasiallinen toiminta\""]),
        (
            &[("Suoramarkkinointikielto", |_| "K".to_owned())],
            &["# exclude_if = [{ column = \"Rajoitus\", value = \"\" }]", "not looked into: Suoramarkkinointikielto"],
        ),
        (
            &[("Turvakielto", |n| ["ei ole", "on"][n % 2].to_owned()), ("Rajoitus", |_| "Ei rajoit".to_owned())],
            &[
                "hide_area_if = [{ column = \"Turvakielto\", value = \"on\" }]  # check",
                "# exclude_if = [{ column = \"Rajoitus\", value = \"\" }]",
            ],
        ),
        (
            &[("Rajoitus", |n| ["k", ""][n.min(1)].to_owned())],
            &["# exclude_if = [{ column = \"Rajoitus\", value = \"\" }]"],
        ),
        (&[("Palvelukunta", |_| "491".to_owned())], &["area = \"Kotikunta\""]),
        (
            &[("tarve1", |_| "N01".to_owned()), ("tarve2", |_| String::new()), ("tarve9", |_| String::new())],
            &["need = { columns = [\"tarve1\", \"tarve2\", \"tarve9\", \"Tarve\"] }"],
        ),
        (
            &[("Tarve", |n| ["N01", "N01,N02"][n % 2].to_owned())],
            &["need = { column = \"Tarve\", separator = \",\" }", "# primary = \"first\""],
        ),
        (&[("Tarve", |n| ["N01", "N01 + N02"][n % 2].to_owned())], &["separator = \"+\" }"]),
        (&[("Tarve", |n| ["N01", "\"N01;N02\""][n % 2].to_owned())], &["separator = \";\" }"]),
        (&[("Tarve", |n| ["N01", "\"N01\nN02\""][n % 2].to_owned())], &["separator = \"\\n\" }"]),
        (
            &[("Syntymävuosi", |_| String::new()), ("Ikäryhmä", |n| ["4554", "65+"][n % 2].to_owned())],
            &["age_group = \"Ikäryhmä\""],
        ),
        (
            &[("Kotikunta", |n| ["491", "\"Outo\nexclude_if = []\""][n % 2].to_owned())],
            &["50 % of its fields mean nothing so, often: \"Outo\\nexclude_if = []\";"],
        ),
    ];
    for (others, lines) in cases {
        let text = drafted(made(others).as_bytes());
        for line in lines {
            assert!(text.contains(line), "no {line} in {text}");
        }
        assert!(!text.contains("\nprimary"), "{text}");
    }
    let adverts = made(&[("Suoramarkkinointikielto", |_| "K".to_owned())]).replacen("Rajoitus", "Huom", 1);
    assert!(drafted(adverts.as_bytes()).contains("# exclude_if = []"), "no advertisements is no restriction");
}

#[test]
fn columns_of_one_name_are_drafted_once() {
    let register = made(&[("Tarve 2", |_| "N01".to_owned())]).replacen("Tarve 2", "Tarve", 1);
    let text = drafted(register.as_bytes());
    assert_eq!(text.matches("\"Tarve\"").count(), 1, "{text}");
    assert!(text.contains("# Several columns have one name, of which only the first was looked at: Tarve"), "{text}");
}

#[test]
fn a_draft_names_the_file_as_its_folder_sees_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, other) = (folder.path().join("x.csv"), folder.path().join("node"));
    fs::create_dir(&other).unwrap();
    fs::write(&path, made(&[])).unwrap();
    let draft = |folder| draft(&path, folder, Codebook::built_in()).unwrap();
    assert!(draft(folder.path()).contains("\nfile = \"x.csv\"\n"));
    let text = draft(&other) + "\nexclude_if = []\nhide_area_if = []\n";
    fs::write(other.join("register.toml"), &text).unwrap();
    let mapping = Mapping::load(&other.join("register.toml")).unwrap();
    assert_eq!(import(&mapping, Codebook::built_in(), &TAG_KEY).unwrap().rows, 40, "{text}");
}

#[test]
fn what_is_not_found_is_left_open_and_no_mapping() {
    let register = b"a;b\nx;y\n";
    let text = drafted(register);
    assert!(text.contains("date = \"\"  # not found: fill in"), "{text}");
    assert!(Site::new(&format!("{text}\nexclude_if = []\nhide_area_if = []\n"), register).mapping().is_err());
    assert!(draft_of(b"a;b\n1;2;3\n").is_err_and(|error| error.contains("register.csv line 2: 3 fields")));
}
