//! A register as a Parquet file, typed as a data warehouse writes it.
//!
//! Promises: what stands in the fields of the rows as [`super::register`] spells them,
//! dates as dates, years and scores as numbers, marks as true or false, and nothing where
//! a field is empty. The pages are not compressed: the import's own tests try that.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int32Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::calendar;

/// Rows of a row group.
const GROUP_ROWS: usize = 100_000;

/// What the fields of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// Written yyyy-mm-dd.
    Date,
    Whole,
    /// With a decimal point.
    Score,
    /// A k, or not.
    Mark,
}

/// Writes rows of text with `delimiter` between the fields, which are as `columns` says.
///
/// # Errors
/// When the file cannot be written, or a field is not of its column's kind.
pub(super) fn write<'r>(
    columns: &[(String, Kind)],
    rows: impl Iterator<Item = &'r String>,
    delimiter: u8,
    to: impl Write + Send,
) -> io::Result<()> {
    let fields = columns.iter().map(|(name, kind)| kind.field(name)).collect::<Result<_, _>>().map_err(failed)?;
    let schema = Type::group_type_builder("register").with_fields(fields).build().map_err(failed)?;
    let properties = Arc::new(WriterProperties::builder().build());
    let mut file = SerializedFileWriter::new(to, Arc::new(schema), properties).map_err(failed)?;
    let new = || columns.iter().map(|(_, kind)| Column::new(*kind)).collect::<Vec<_>>();
    let (mut group, mut count) = (new(), 0);
    for rows in rows {
        let mut rows = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(rows.as_bytes());
        let mut row = csv::StringRecord::new();
        while rows.read_record(&mut row)? {
            for (column, field) in group.iter_mut().zip(&row) {
                column.push(field)?;
            }
            count += 1;
            if count == GROUP_ROWS {
                flush(&mut file, std::mem::replace(&mut group, new())).map_err(failed)?;
                count = 0;
            }
        }
    }
    if count > 0 {
        flush(&mut file, group).map_err(failed)?;
    }
    file.close().map_err(failed)?;
    Ok(())
}

fn failed(error: ParquetError) -> io::Error {
    io::Error::other(error)
}

fn flush<W: Write + Send>(file: &mut SerializedFileWriter<W>, group: Vec<Column>) -> Result<(), ParquetError> {
    let mut to = file.next_row_group()?;
    for column in group {
        if let Some(mut writer) = to.next_column()? {
            column.write(&mut writer)?;
            writer.close()?;
        }
    }
    to.close().map(drop)
}

impl Kind {
    fn field(self, name: &str) -> Result<TypePtr, ParquetError> {
        let (physical, logical) = match self {
            Self::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Self::Date => (Physical::INT32, Some(LogicalType::Date)),
            Self::Whole => (Physical::INT32, None),
            Self::Score => (Physical::DOUBLE, None),
            Self::Mark => (Physical::BOOLEAN, None),
        };
        let field = Type::primitive_type_builder(name, physical).with_logical_type(logical);
        field.with_repetition(Repetition::OPTIONAL).build().map(Arc::new)
    }
}

/// The fields of some rows.
struct Column {
    values: Values,
    /// For each row 1, or 0 where its field is empty.
    present: Vec<i16>,
}

enum Values {
    Text(Vec<ByteArray>),
    Date(Vec<i32>),
    Whole(Vec<i32>),
    Score(Vec<f64>),
    Mark(Vec<bool>),
}

impl Column {
    fn new(kind: Kind) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Date => Values::Date(Vec::new()),
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Score => Values::Score(Vec::new()),
            Kind::Mark => Values::Mark(Vec::new()),
        };
        Self { values, present: Vec::new() }
    }

    fn push(&mut self, field: &str) -> io::Result<()> {
        let marks = matches!(self.values, Values::Mark(_));
        self.present.push(i16::from(marks || !field.is_empty()));
        if field.is_empty() && !marks {
            return Ok(());
        }
        let other = || io::Error::other("a field of another kind than its column");
        match &mut self.values {
            Values::Text(values) => values.push(field.into()),
            Values::Date(values) => values.push(calendar::days_since_1970(field).ok_or_else(other)?),
            Values::Whole(values) => values.push(field.parse().map_err(|_| other())?),
            Values::Score(values) => values.push(field.parse().map_err(|_| other())?),
            Values::Mark(values) => values.push(field == "k"),
        }
        Ok(())
    }

    fn write(&self, to: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        fn all<T: DataType>(
            to: &mut SerializedColumnWriter<'_>,
            values: &[T::T],
            present: &[i16],
        ) -> Result<(), ParquetError> {
            to.typed::<T>().write_batch(values, Some(present), None).map(drop)
        }
        match &self.values {
            Values::Text(values) => all::<ByteArrayType>(to, values, &self.present),
            Values::Date(values) | Values::Whole(values) => all::<Int32Type>(to, values, &self.present),
            Values::Score(values) => all::<DoubleType>(to, values, &self.present),
            Values::Mark(values) => all::<BoolType>(to, values, &self.present),
        }
    }
}
