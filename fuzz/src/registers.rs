//! Bytes against what reads registers and the files that describe them. None panics, and
//! no message holds what stands in a register.
//!
//! The first byte chooses how the register is read; then the register follows. A text
//! that begins with `[` or a letter is tried as a mapping as well.

use koonti_disclosure::Codebook;
use koonti_node::source::{self, Mapping};
use std::cell::RefCell;
use tempfile::TempDir;

/// Stands in fields of the seeds, and may stand in no message.
pub(crate) const WORD: &str = "Kanarialintu";

/// The first lines of the seeds.
pub(crate) const HEADERS: [&str; 2] = ["c;d;b;s;a;n;x;k\n", "c,d,b,s,a,n,x,k\n"];
/// A spelling that so many clients have may be shown: it stands as often, or more.
const SHOWN_FROM: usize = 10;

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(tempfile::tempdir().expect("a folder"));
}

/// Reads the bytes as a register, as a mapping, and as an export that nobody has described.
pub fn registers(data: &[u8]) {
    FOLDER.with_borrow(|folder| {
        let (mapping, register) = (folder.path().join("register.toml"), folder.path().join("register.csv"));
        if let Some((dialect, rows)) = data.split_first() {
            std::fs::write(&register, rows).expect("a file");
            std::fs::write(&mapping, mapping_of(*dialect)).expect("a file");
            let read = Mapping::load(&mapping).expect("a mapping");
            match source::import(&read, Codebook::built_in(), &[7; 32]) {
                Ok(imported) => assert!(imported.slices.len() <= 20),
                Err(error) => assert!(!error.to_string().contains(WORD), "a field is shown"),
            }
            // A draft of it may fail, and shows nobody: columns by their names, and what
            // many clients have.
            let is_it = |part: &&[u8]| part.eq_ignore_ascii_case(WORD.as_bytes());
            let shows = rows.windows(WORD.len()).filter(is_it).count() >= SHOWN_FROM;
            let named = HEADERS.iter().any(|header| rows.starts_with(header.as_bytes()));
            match source::draft(&register, folder.path(), Codebook::built_in()) {
                Ok(draft) if named && !shows => assert!(!draft.contains(WORD), "a field is shown"),
                Ok(_) | Err(_) => {}
            }
        }
        std::fs::write(&mapping, data).expect("a file");
        drop(Mapping::load(&mapping));
    });
}

/// A mapping by the bits of a byte: delimiter, encoding, dates, decimals, needs, age.
pub(crate) fn mapping_of(dialect: u8) -> String {
    let choose = |bit: u8, one: &'static str, other: &'static str| if dialect >> bit & 1 == 1 { one } else { other };
    format!(
        r#"source = "s"
register = "r"
file = "register.csv"
[format]
delimiter = "{}"
encoding = "{}"
date = "{}"
decimal = "{}"
[columns]
client = "c"
date = "d"
{} = "b"
sex = "s"
area = "a"
need = {}
[columns.scores]
D01 = "x"
[restrict]
exclude_if = [{{ column = "k", value = "k" }}]
hide_area_if = []
"#,
        choose(0, ",", ";"),
        choose(1, "windows-1252", "utf-8"),
        choose(2, "yyyy-mm-dd", choose(3, "d. month yyyy", "d.m.yyyy")),
        choose(4, ".", ","),
        choose(5, "age", choose(6, "birth_date", "birth_year")),
        choose(7, r#"{ column = "n", separator = "|" }"#, r#""n""#),
    )
}
