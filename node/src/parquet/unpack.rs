//! The process that reads a Parquet file and writes its rows.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::column::{Batch, Kind};
use super::{BATCH_ROWS, DELIMITER, Fault, Order, Unfit};

/// All the memory that the process may have: pages of a column are far smaller.
const MEMORY_BYTES: u64 = 1 << 30;

/// A column that is to be written.
struct Wanted {
    name: String,
    /// Its place among all columns of the file.
    at: usize,
    kind: Kind,
    optional: bool,
}

/// Limits this process, for good, to what reading one file takes; without a core file,
/// in which client records would lie, and without a word about where it failed.
///
/// # Errors
/// When the system refuses.
pub(crate) fn limit() -> io::Result<()> {
    std::panic::set_hook(Box::new(|_| ()));
    for (resource, most) in [(Resource::Core, 0), (Resource::As, MEMORY_BYTES)] {
        // The system may allow less already, and no more again.
        let most = getrlimit(resource).maximum.map_or(most, |allowed| allowed.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })?;
    }
    Ok(())
}

/// Writes the wanted columns that the file has: their names, then a line for each row.
///
/// # Errors
/// When the file cannot be read, or not further; the rows before are written.
pub(crate) fn unpack(order: &Order, to: impl Write) -> Result<(), Fault> {
    let file = open(&order.file)?;
    let wanted = wanted(file.metadata().file_metadata().schema_descr(), order)?;
    let mut to = BufWriter::with_capacity(1 << 16, to);
    let mut line = String::new();
    wanted.iter().for_each(|column| push_field(&mut line, &column.name));
    end_line(&mut line, &mut to)?;
    let written = groups(&file, &wanted, order, &mut line, &mut to);
    to.flush()?;
    written
}

/// Writes what columns the file has: a line for each, its name and, where it cannot be
/// read, why; below a header.
///
/// # Errors
/// When the file cannot be read.
pub(crate) fn list(file: &Path, to: impl Write) -> Result<(), Fault> {
    let file = open(file)?;
    let (mut to, mut line, mut names) = (BufWriter::new(to), String::new(), HashSet::new());
    let mut row = |fields: [&str; 2]| {
        fields.iter().for_each(|field| push_field(&mut line, field));
        end_line(&mut line, &mut to)
    };
    row(["column", "why it is not read"])?;
    for column in file.metadata().file_metadata().schema_descr().columns() {
        let name = name(column);
        let unfit = Kind::of(column).err();
        // A list has several columns of its name.
        if names.insert(name.to_owned()) {
            row([name, &unfit.map_or(String::new(), |why| why.to_string())])?;
        } else if unfit != Some(Unfit::Nested) {
            row([name, &Unfit::Twice.to_string()])?;
        }
    }
    Ok(to.flush()?)
}

fn open(path: &Path) -> Result<SerializedFileReader<File>, Fault> {
    let mut file = File::open(path)?;
    if is_encrypted(&mut file)? {
        return Err(Fault::Encrypted);
    }
    SerializedFileReader::new(file).map_err(|_| Fault::Damaged)
}

fn groups(
    file: &SerializedFileReader<File>,
    wanted: &[Wanted],
    order: &Order,
    line: &mut String,
    to: &mut impl Write,
) -> Result<(), Fault> {
    let (mut row, mut cell) = (0, String::new());
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(|_| Fault::Damaged)?;
        let mut rows = usize::try_from(group.metadata().num_rows()).map_err(|_| Fault::Damaged)?;
        let damaged = |column: &Wanted, row| Fault::Batch { column: column.name.clone(), row: row + 1 };
        let readers = wanted.iter().map(|c| group.get_column_reader(c.at).map_err(|_| damaged(c, row)));
        let mut readers = readers.collect::<Result<Vec<_>, _>>()?;
        while rows > 0 {
            let some = rows.min(BATCH_ROWS);
            let mut batches = Vec::with_capacity(wanted.len());
            for (column, reader) in wanted.iter().zip(&mut readers) {
                let batch = Batch::read(reader, some, column.optional).filter(|(_, read)| *read == some);
                batches.push(batch.ok_or_else(|| damaged(column, row))?.0);
            }
            for at in 0..some {
                for (column, batch) in wanted.iter().zip(&mut batches) {
                    cell.clear();
                    let no_text = |_| Fault::NoText { column: column.name.clone(), row: row + 1 };
                    batch.write(at, column.kind, order, &mut cell).map_err(no_text)?;
                    push_field(line, &cell);
                }
                end_line(line, to)?;
                row += 1;
            }
            rows -= some;
        }
    }
    Ok(())
}

/// The wanted columns that the file has. That one is missing is for the reader of the
/// rows to say, as of any register.
fn wanted(schema: &SchemaDescriptor, order: &Order) -> Result<Vec<Wanted>, Fault> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for (at, column) in schema.columns().iter().enumerate() {
        let name = name(column);
        if !order.columns.iter().any(|wanted| wanted.trim() == name) {
            continue;
        }
        let unfit = |why| Fault::Column { column: name.to_owned(), why };
        let kind = Kind::of(column).map_err(unfit)?;
        if wanted.iter().any(|known| known.name == name) {
            return Err(unfit(Unfit::Twice));
        }
        if kind == Kind::Float && order.client.as_ref().is_some_and(|client| client.trim() == name) {
            return Err(unfit(Unfit::FloatKey));
        }
        wanted.push(Wanted { name: name.to_owned(), at, kind, optional: column.max_def_level() > 0 });
    }
    Ok(wanted)
}

/// The name of the column of the table in which this one is.
fn name(column: &ColumnDescriptor) -> &str {
    column.path().parts().first().map_or("", |name| name.trim())
}

/// Encrypted files end with letters of their own.
fn is_encrypted(file: &mut File) -> io::Result<bool> {
    let mut last = [0; 4];
    if file.metadata()?.len() >= 4 {
        file.seek(SeekFrom::End(-4))?;
        file.read_exact(&mut last)?;
    }
    Ok(last == *b"PARE")
}

/// Adds a field and what stands behind it; quoted wherever it might not be one otherwise.
fn push_field(line: &mut String, text: &str) {
    let plain = |byte: &u8| !matches!(byte, b'"' | b'\n' | b'\r' | &DELIMITER);
    if text.is_empty() || !text.as_bytes().iter().all(plain) {
        line.push('"');
        line.push_str(&text.replace('"', "\"\""));
        line.push('"');
    } else {
        line.push_str(text);
    }
    line.push(char::from(DELIMITER));
}

/// Ends the line, without the last delimiter, and writes it.
fn end_line(line: &mut String, to: &mut impl Write) -> io::Result<()> {
    line.pop();
    // A file without any wanted column has rows, too.
    if line.is_empty() {
        line.push_str("\"\"");
    }
    line.push('\n');
    to.write_all(line.as_bytes())?;
    line.clear();
    Ok(())
}
