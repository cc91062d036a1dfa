//! Parquet files: the same people as in a CSV file give the same slices, and what
//! cannot be read is named by column, row and rule.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::parquet::basic::{Compression, GzipLevel, ZstdLevel};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::parser::parse_message_type;
use proptest::prelude::*;

use super::same::{Dialect, Dice, Visit, visits};
use super::*;
use crate::parquet::{list, unpack};
use crate::source::split::Split;
use crate::source::{MAX_ROWS, import_split};

const FORMAT: &str = "delimiter = \";\"\nencoding = \"utf-8\"\ndate = \"d.m.yyyy\"\ndecimal = \",\"";

/// [`MAPPING`] for a Parquet file whose marks are true or false.
fn mapping(changes: &[(&str, &str)]) -> String {
    let parquet = [(FORMAT, "kind = \"parquet\""), ("register.csv", "register.parquet")];
    let mapping = mapping_with(&parquet).replace("value = \"k\"", "value = \"true\"");
    changes.iter().fold(mapping, |mapping, (from, to)| {
        assert_eq!(mapping.matches(from).count(), 1, "{from}");
        mapping.replace(from, to)
    })
}

/// Imports a file as `koonti-node import` does, but for the process between.
fn import_file(file: &Path, mapping: &str) -> Result<Imported, String> {
    struct Broken(Option<String>);
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), |said| Err(io::Error::other(said)))
        }
    }
    let site = Site::new(mapping, b"");
    let mapping = site.mapping().unwrap();
    let mut order = mapping.order();
    order.file = file.to_owned();
    let mut rows = Vec::new();
    let said = unpack(&order, &mut rows).err().map(|fault| fault.to_string());
    let split = Split { threads: 2, block_bytes: 512, shelves: 2 };
    let from = Cursor::new(rows).chain(Broken(said));
    let imported = import_split(split, from, MAX_ROWS, &mapping, Codebook::built_in(), &TAG_KEY);
    imported.map_err(|error| match error {
        Error::Read { source, .. } => source.to_string(),
        error => error.to_string(),
    })
}

#[derive(Clone, Debug)]
enum Cell {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Bytes(Vec<u8>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Bytes(text.into())
    }
}

/// Writes columns in the order of the schema, all of them optional.
fn write(schema: &str, columns: &[Vec<Cell>], dice: &mut Dice) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("register.parquet");
    let compression = dice.pick(&[
        Compression::UNCOMPRESSED,
        Compression::SNAPPY,
        Compression::ZSTD(ZstdLevel::default()),
        Compression::GZIP(GzipLevel::default()),
    ]);
    let properties = WriterProperties::builder()
        .set_compression(compression)
        .set_dictionary_enabled(dice.roll(2) == 0)
        .set_writer_version(dice.pick(&[WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0]))
        .build();
    let schema = Arc::new(parse_message_type(&format!("message schema {{ {schema} }}")).unwrap());
    let file = File::create(&path).unwrap();
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).unwrap();
    let rows = columns.first().map_or(0, Vec::len);
    let most = 1 + dice.roll(rows + 1);
    for start in (0..rows).step_by(most) {
        let mut group = writer.next_row_group().unwrap();
        for column in columns {
            let cells = &column[start..rows.min(start + most)];
            let levels: Vec<i16> = cells.iter().map(|cell| i16::from(!matches!(cell, Cell::None))).collect();
            let ints = || cells.iter().filter_map(|cell| if let Cell::Int(value) = cell { Some(*value) } else { None });
            let floats =
                || cells.iter().filter_map(|cell| if let Cell::Float(value) = cell { Some(*value) } else { None });
            let bytes = || {
                cells.iter().filter_map(|c| if let Cell::Bytes(value) = c { Some(value.clone().into()) } else { None })
            };
            let bools =
                || cells.iter().filter_map(|cell| if let Cell::Bool(value) = cell { Some(*value) } else { None });
            let mut next = group.next_column().unwrap().unwrap();
            let levels = Some(&levels[..]);
            match next.untyped() {
                ColumnWriter::BoolColumnWriter(w) => w.write_batch(&bools().collect::<Vec<_>>(), levels, None),
                ColumnWriter::Int32ColumnWriter(w) => {
                    w.write_batch(&ints().map(|value| value as i32).collect::<Vec<_>>(), levels, None)
                }
                ColumnWriter::Int64ColumnWriter(w) => w.write_batch(&ints().collect::<Vec<_>>(), levels, None),
                ColumnWriter::FloatColumnWriter(w) => {
                    w.write_batch(&floats().map(|value| value as f32).collect::<Vec<_>>(), levels, None)
                }
                ColumnWriter::DoubleColumnWriter(w) => w.write_batch(&floats().collect::<Vec<_>>(), levels, None),
                ColumnWriter::ByteArrayColumnWriter(w) => w.write_batch(&bytes().collect::<Vec<_>>(), levels, None),
                _ => panic!("no such column is written here"),
            }
            .unwrap();
            next.close().unwrap();
        }
        group.close().unwrap();
    }
    writer.close().unwrap();
    (folder, path)
}

/// Days since 1970, counted one by one.
fn days((year, month, day): (u16, usize, u8)) -> i64 {
    let leap = |year: u16| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let years: i64 = (1970..year).map(|year| if leap(year) { 366 } else { 365 }).sum();
    let months = [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    years + months[..month - 1].iter().sum::<i64>() + i64::from(day) - 1
}

/// The visits as one table, each column in one of the types that it may have.
fn columns(visits: &[Visit], ranked: bool, dice: &mut Dice) -> (String, Vec<Vec<Cell>>, String) {
    let codebook = Codebook::built_in();
    let code = |dimension: &str, at: usize| codebook.dimension(dimension).unwrap().codes()[at].code.clone();
    let all = |cell: &dyn Fn(&Visit) -> Cell| visits.iter().map(cell).collect::<Vec<_>>();
    let bytes = |text: String| Cell::Bytes(text.into());
    let or_none = |text: &str| if text.is_empty() { Cell::None } else { text.into() };
    let mut schema = vec!["optional binary asiakas (UTF8)"];
    let mut columns = vec![all(&|v| v.client.into())];
    let date = |v: &Visit| days(v.date);
    let (written, cells) = match dice.roll(5) {
        0 => ("optional int32 pvm (DATE)", all(&|v| Cell::Int(date(v)))),
        1 => ("optional int64 pvm (TIMESTAMP(MILLIS, false))", all(&|v| Cell::Int(date(v) * 86_400_000 + 86_399_999))),
        2 => ("optional int64 pvm (TIMESTAMP(MICROS, false))", all(&|v| Cell::Int(date(v) * 86_400_000_000))),
        3 => ("optional int64 pvm (TIMESTAMP(NANOS, false))", all(&|v| Cell::Int(date(v) * 86_400_000_000_000 + 1))),
        _ => ("optional binary pvm", all(&|v| bytes(format!("{}-{:02}-{:02}", v.date.0, v.date.1, v.date.2)))),
    };
    schema.push(written);
    columns.push(cells);
    let birth = |v: &Visit| v.birth.map(|birth| birth.0);
    let (written, cells) = match dice.roll(4) {
        0 => ("optional int32 ikä (INTEGER(16, true))", all(&|v| birth(v).map_or(Cell::None, |y| Cell::Int(y.into())))),
        1 => {
            ("optional int64 ikä (INTEGER(64, false))", all(&|v| birth(v).map_or(Cell::None, |y| Cell::Int(y.into()))))
        }
        2 => ("optional double ikä", all(&|v| birth(v).map_or(Cell::None, |y| Cell::Float(y.into())))),
        _ => ("optional binary ikä (UTF8)", all(&|v| birth(v).map_or(Cell::None, |y| bytes(y.to_string())))),
    };
    schema.push(written);
    columns.push(cells);
    schema.push("optional binary sukupuoli (UTF8)");
    columns.push(all(&|v| or_none(["1", "nainen", "9", ""][v.sex])));
    let areas = [491, 46, 541, 999];
    let (written, cells) = match dice.roll(2) {
        0 => ("optional int32 kotikunta", all(&|v| areas.get(v.area).map_or(Cell::None, |area| Cell::Int(*area)))),
        _ => ("optional binary kotikunta (ENUM)", all(&|v| or_none(["Mikkeli", "46", "911", "199", ""][v.area]))),
    };
    schema.push(written);
    columns.push(cells);
    schema.push("optional binary tarve (UTF8)");
    let needs = |v: &Visit| v.needs.iter().map(|need| code("need", *need)).collect::<Vec<_>>().join(" ,");
    columns.push(all(&|v| or_none(&needs(v))));
    for (at, id) in ["D01", "D02"].into_iter().enumerate() {
        let half = |v: &Visit| v.scores[at].map(i64::from);
        let (written, cells) = match dice.roll(4) {
            0 => (["optional float D01", "optional float D02"][at], 0),
            1 => (["optional double D01", "optional double D02"][at], 0),
            2 => (["optional int32 D01 (DECIMAL(4, 2))", "optional int64 D02 (DECIMAL(10, 2))"][at], 1),
            _ => (["optional binary D01 (UTF8)", "optional binary D02 (UTF8)"][at], 2),
        };
        schema.push(written);
        columns.push(all(&|v| match (half(v), cells) {
            (None, _) => Cell::None,
            (Some(half), 0) => Cell::Float(half as f64 / 2.0),
            (Some(half), 1) => Cell::Int(half * 50),
            (Some(half), _) => bytes((half as f64 / 2.0).to_string()),
        }));
        assert!(written.contains(id));
    }
    let marks = |marked: &dyn Fn(&Visit) -> bool, boolean: bool| match boolean {
        true => all(&|v| Cell::Bool(marked(v))),
        false => all(&|v| if marked(v) { "TRUE".into() } else { Cell::None }),
    };
    let boolean = dice.roll(2) == 0;
    schema.push(if boolean { "optional boolean kielto" } else { "optional binary kielto (UTF8)" });
    columns.push(marks(&|v| v.exclude, boolean));
    let boolean = dice.roll(2) == 0;
    schema.push(if boolean { "optional boolean turvakielto" } else { "optional binary turvakielto (UTF8)" });
    columns.push(marks(&|v| v.hide, boolean));
    schema.push("optional binary huom (UTF8)");
    columns.push(all(&|_| "131052-308T; \"two\nlines\"".into()));
    let primary = if ranked { "primary = \"first\"" } else { "" };
    let mapping = mapping(&[
        ("need = \"tarve\"", "need = { column = \"tarve\", separator = \",\" }"),
        ("primary = { column = \"ensisijainen\", value = \"true\" }", primary),
        ("syntymävuosi", "ikä"),
    ]);
    (schema.into_iter().map(|column| format!("{column}; ")).collect(), columns, mapping)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn the_same_people_in_csv_and_parquet_give_the_same_slices(
        visits in visits(),
        ranked in any::<bool>(),
        seeds in any::<[u64; 2]>(),
    ) {
        let mut dice = Dice(seeds[0]);
        let dialect = Dialect::roll(&mut dice, &visits, ranked);
        let register = dialect.register(&mut dice, &visits);
        let csv = Site::new(&dialect.mapping(), &register).import().map_err(|e| TestCaseError::fail(e.to_string()))?;
        let mut dice = Dice(seeds[1]);
        let (schema, columns, mapping) = columns(&visits, ranked, &mut dice);
        let (_folder, path) = write(&schema, &columns, &mut dice);
        let parquet = import_file(&path, &mapping).map_err(|e| TestCaseError::fail(format!("{schema}: {e}")))?;
        prop_assert!(parquet.bytes() == csv.bytes(), "{schema}");
        let counts = |i: &Imported| [i.clients, i.excluded, i.area_hidden, i.outside];
        prop_assert_eq!(counts(&parquet), counts(&csv));
    }
}

/// What two other programs have written, of the people of this CSV file.
#[test]
fn files_of_other_programs() {
    let rows = "a;3.7.2026;1980;1;491;N01;k;6,5;;;;\na;30.9.2026;1980;1;46;N03;;7;3;;;\näijä;3.9.2026;1995;nainen;Kajaani;N02;;;10;;;\n\
                131052-308T;1.4.2026;1950;2;205;N99;;0;;;k;\nb;1.8.2026;1990;;;;;;;k;;\nc;1.8.2026;;9;999;;;;;;;\n";
    let csv = import_rows(rows).unwrap();
    for name in ["pyarrow", "duckdb"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/{name}.parquet"));
        let imported = import_file(&path, &mapping(&[])).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(imported.bytes() == csv.bytes(), "{name}");
        assert_eq!((imported.rows, imported.excluded, imported.area_hidden), (6, 1, 1), "{name}");
        assert_eq!(imported.seen("2026Q3", "a").unwrap(), "45-54 046 1 | N01! N03 | D01=7 D02=3", "{name}");
    }
}

const SCHEMA: &str = "optional binary asiakas (UTF8); optional int32 pvm (DATE); optional int32 syntymävuosi; \
    optional binary sukupuoli (UTF8); optional binary kotikunta (UTF8); optional binary tarve (UTF8); \
    optional boolean ensisijainen; optional double D01; optional double D02; optional boolean kielto; \
    optional boolean turvakielto;";

/// The message for rows of [`SCHEMA`] with a change, after a check that it is silent.
fn refused(change: (&str, &str), rows: &[[Cell; 11]]) -> String {
    assert_eq!(SCHEMA.matches(change.0).count(), 1, "{}", change.0);
    let columns: Vec<Vec<Cell>> = (0..11).map(|at| rows.iter().map(|row| row[at].clone()).collect()).collect();
    let columns = if rows.is_empty() { Vec::new() } else { columns };
    let (_folder, path) = write(&SCHEMA.replace(change.0, change.1), &columns, &mut Dice(1));
    let message = import_file(&path, &mapping(&[])).err().expect("it must be refused");
    assert!(!message.contains(refused::CANARY), "{message}");
    message
}

/// The columns of a file with this schema that are listed as not to be read.
fn unread(schema: &str) -> Vec<String> {
    let (_folder, path) = write(schema, &[], &mut Dice(1));
    let mut listed = Vec::new();
    list(&path, &mut listed).unwrap();
    let listed = String::from_utf8(listed).unwrap();
    let (header, columns) = listed.split_once('\n').unwrap();
    assert_eq!((header, columns.lines().count() >= 11), ("column;why it is not read", true));
    columns.lines().filter(|line| !line.ends_with(";\"\"")).map(str::to_owned).collect()
}

#[test]
fn columns_that_are_not_read_are_named() {
    let instant = "holds points in time (UTC or INT96), whose day depends on the time zone: export dates, or \
                   timestamps without time zone";
    let kind = "of a type that is not read: export text, numbers, dates or booleans";
    let nested = "holds lists or groups: export one value a row";
    for (from, to, column, why) in [
        ("int32 pvm (DATE)", "int96 pvm", "pvm", instant),
        ("int32 pvm (DATE)", "int64 pvm (TIMESTAMP(MICROS, true))", "pvm", instant),
        ("int32 pvm (DATE)", "int64 pvm (TIMESTAMP_MILLIS)", "pvm", instant),
        ("int32 pvm (DATE)", "int32 pvm (TIME(MILLIS, false))", "pvm", kind),
        ("binary tarve (UTF8)", "binary tarve (BSON)", "tarve", kind),
        ("binary tarve (UTF8)", "fixed_len_byte_array(12) tarve (INTERVAL)", "tarve", kind),
        ("optional binary tarve (UTF8)", "repeated binary tarve (UTF8)", "tarve", nested),
        ("optional binary tarve (UTF8);", "optional group tarve { optional binary a (UTF8); }", "tarve", nested),
        (
            "binary asiakas (UTF8)",
            "double asiakas",
            "asiakas",
            "tells clients apart by floating-point numbers: export text or whole numbers",
        ),
        (
            "optional binary tarve",
            "optional int32 D01; optional binary tarve",
            "D01",
            "the file has two columns of this name",
        ),
    ] {
        assert_eq!(refused((from, to), &[]), format!("column \"{column}\": {why}"), "{to}");
        // Which column tells clients apart, a list does not know.
        let named = if column == "asiakas" { vec![] } else { vec![format!("{column};{why}")] };
        assert_eq!(unread(&SCHEMA.replace(from, to)), named, "{to}");
    }
    assert_eq!(unread(SCHEMA), Vec::<String>::new());
    let missing = "register.parquet header: the header has no column \"kotikunta\"";
    assert_eq!(refused(("kotikunta", "kunta"), &[]), missing);
}

#[test]
fn a_column_that_never_had_a_value_is_empty_and_false_is_no_mark() {
    let mut row: [Cell; 11] = std::array::from_fn(|_| Cell::None);
    (row[0], row[1], row[9], row[10]) = ("a".into(), Cell::Int(20_640), Cell::Bool(false), Cell::Bool(true));
    let schema = SCHEMA.replace("optional binary tarve (UTF8)", "optional int32 tarve (UNKNOWN)");
    let (_folder, path) = write(&schema, &row.map(|cell| vec![cell]), &mut Dice(1));
    let imported = import_file(&path, &mapping(&[])).unwrap();
    assert_eq!((imported.clients, imported.excluded, imported.area_hidden), (1, 0, 1));
    assert_eq!(imported.seen("2026Q3", "a").unwrap(), "unknown unknown unknown | unknown |");
    assert_eq!(unread(&schema), Vec::<String>::new());
}

#[test]
fn fields_that_mean_nothing_are_named_by_their_row() {
    let row = || -> [Cell; 11] {
        let mut row = std::array::from_fn(|_| Cell::None);
        (row[0], row[1]) = ("two\nlines".into(), Cell::Int(20_640));
        row
    };
    let canary = || refused::CANARY.into();
    let not_text = || Cell::Bytes(b"Kanarialintu\xFF".to_vec());
    for (column, at, cell, rule) in [
        ("asiakas", 0, Cell::None, "empty, but every row needs a client and a date"),
        ("pvm", 1, Cell::None, "empty, but every row needs a client and a date"),
        ("pvm", 1, Cell::Int(-25_568), "not a date from the year 1900 on, written yyyy-mm-dd"),
        ("pvm", 1, Cell::Int(i32::MAX.into()), "not a date from the year 1900 on, written yyyy-mm-dd"),
        (
            "syntymävuosi",
            2,
            Cell::Int(80),
            "not a birth year of four digits, at most 150 years before the date and not after it",
        ),
        ("sukupuoli", 3, canary(), "not a sex of the codebook, by code or word"),
        ("kotikunta", 4, canary(), "not a municipality code or name of the codebook"),
        ("kotikunta", 4, "131052-308T".into(), "looks like a personal identity code"),
        ("tarve", 5, canary(), "not a need of the codebook, by code or name"),
        ("tarve", 5, not_text(), "text that is not UTF-8"),
        ("tarve", 5, Cell::Bytes(vec![b'x'; 5000]), "longer than 4096 bytes"),
        ("D01", 7, Cell::Float(6.25), "not a score from 0 to 10 in whole or half steps, with a decimal point"),
        ("D01", 7, Cell::Float(f64::NAN), "not a score from 0 to 10 in whole or half steps, with a decimal point"),
    ] {
        let mut rows = [row(), row(), row(), row()];
        rows[2][at] = cell;
        let message = refused(("asiakas", "asiakas"), &rows);
        let place = format!("row 3, column \"{column}\": {rule}");
        assert_eq!(message.trim_start_matches("register.parquet "), place);
    }
}

#[test]
fn the_mapping_of_a_parquet_file_declares_little() {
    let declared = |format: &str| {
        Site::new(&mapping(&[("kind = \"parquet\"", format)]), b"").mapping().err().map(|e| e.to_string())
    };
    assert_eq!(declared("kind = \"parquet\"\ndate = \"d.m.yyyy\"\ndecimal = \",\""), None);
    for (format, why) in [
        ("kind = \"parquet\"\ndelimiter = \";\"", "a Parquet file has no delimiter: leave the key out"),
        ("kind = \"parquet\"\nencoding = \"utf-8\"", "a Parquet file has no encoding: leave the key out"),
        ("kind = \"csv\"", "missing field `delimiter`"),
        ("kind = \"excel\"", "unknown variant `excel`, expected `csv` or `parquet`"),
    ] {
        let message = declared(format).unwrap();
        assert!(message.ends_with(why), "{message}");
    }
}
