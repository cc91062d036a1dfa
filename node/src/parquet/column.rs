//! One column of a Parquet file: what its values are, and some of them at a time.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{
    BoolType, ByteArray, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, FloatType,
    Int32Type, Int64Type,
};
use parquet::schema::types::ColumnDescriptor;

use super::cell;
use super::{Order, Unfit};

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// No row has a value, so that no type was known.
    Nothing,
    Text,
    Boolean,
    Signed,
    Unsigned,
    Float,
    /// A number whose last digits are decimals.
    Decimal(u32),
    Date,
    /// A timestamp without time zone: so many of these are a day.
    Moment(i64),
}

/// Some values of a column.
pub(super) enum Values {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float(Vec<f32>),
    Double(Vec<f64>),
    Bytes(Vec<ByteArray>),
    Fixed(Vec<FixedLenByteArray>),
}

/// Some rows of a column.
pub(super) struct Batch {
    values: Values,
    /// For each row whether it has a value; empty where every row has.
    present: Vec<i16>,
    /// The value of the row that comes next.
    next: usize,
}

/// The text is not UTF-8.
pub(super) struct NoText;

impl Kind {
    /// What a column holds, if it can be read.
    pub(super) fn of(column: &ColumnDescriptor) -> Result<Self, Unfit> {
        if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
            return Err(Unfit::Nested);
        }
        let (physical, logical, converted) =
            (column.physical_type(), column.logical_type_ref(), column.converted_type());
        match (physical, logical) {
            (Type::INT96, _) => return Err(Unfit::Instant),
            (_, Some(LogicalType::Unknown)) => return Ok(Self::Nothing),
            (_, Some(LogicalType::Timestamp(stamp))) if stamp.is_adjusted_to_u_t_c => return Err(Unfit::Instant),
            (Type::INT64, Some(LogicalType::Timestamp(stamp))) => {
                return Ok(Self::Moment(match stamp.unit {
                    TimeUnit::MILLIS => 86_400_000,
                    TimeUnit::MICROS => 86_400_000_000,
                    TimeUnit::NANOS => 86_400_000_000_000,
                }));
            }
            _ => {}
        }
        match (physical, converted) {
            // Older files say no more than this, which means UTC.
            (_, ConvertedType::TIMESTAMP_MILLIS | ConvertedType::TIMESTAMP_MICROS) => Err(Unfit::Instant),
            (Type::INT32, ConvertedType::DATE) => Ok(Self::Date),
            (Type::INT32 | Type::INT64 | Type::FIXED_LEN_BYTE_ARRAY | Type::BYTE_ARRAY, ConvertedType::DECIMAL) => {
                u32::try_from(column.type_scale())
                    .ok()
                    .filter(|scale| *scale <= 38)
                    .map(Self::Decimal)
                    .ok_or(Unfit::Kind)
            }
            (
                Type::INT32 | Type::INT64,
                ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32 | ConvertedType::UINT_64,
            ) => Ok(Self::Unsigned),
            (
                Type::INT32 | Type::INT64,
                ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64,
            ) if matches!(logical, None | Some(LogicalType::Integer(_))) => Ok(Self::Signed),
            (Type::FLOAT | Type::DOUBLE, ConvertedType::NONE) => Ok(Self::Float),
            (Type::BOOLEAN, ConvertedType::NONE) => Ok(Self::Boolean),
            (Type::BYTE_ARRAY, ConvertedType::UTF8 | ConvertedType::ENUM) => Ok(Self::Text),
            // Some programs write text without saying that it is.
            (Type::BYTE_ARRAY, ConvertedType::NONE) if logical.is_none() => Ok(Self::Text),
            _ => Err(Unfit::Kind),
        }
    }
}

impl Batch {
    /// The next rows of a column, at most `rows`; none when they cannot be read.
    pub(super) fn read(reader: &mut ColumnReader, rows: usize, optional: bool) -> Option<(Self, usize)> {
        match reader {
            ColumnReader::BoolColumnReader(r) => read::<BoolType>(r, rows, optional, Values::Boolean),
            ColumnReader::Int32ColumnReader(r) => read::<Int32Type>(r, rows, optional, Values::Int32),
            ColumnReader::Int64ColumnReader(r) => read::<Int64Type>(r, rows, optional, Values::Int64),
            ColumnReader::FloatColumnReader(r) => read::<FloatType>(r, rows, optional, Values::Float),
            ColumnReader::DoubleColumnReader(r) => read::<DoubleType>(r, rows, optional, Values::Double),
            ColumnReader::ByteArrayColumnReader(r) => read::<ByteArrayType>(r, rows, optional, Values::Bytes),
            ColumnReader::FixedLenByteArrayColumnReader(r) => {
                read::<FixedLenByteArrayType>(r, rows, optional, Values::Fixed)
            }
            ColumnReader::Int96ColumnReader(_) => None,
        }
    }

    /// Writes what the row says, nothing where it has no value. Rows come in their order.
    pub(super) fn write(&mut self, row: usize, kind: Kind, order: &Order, to: &mut String) -> Result<(), NoText> {
        if kind == Kind::Nothing || self.present.get(row) == Some(&0) {
            return Ok(());
        }
        let at = self.next;
        self.next += 1;
        let whole = |value: i64, width: u32, to: &mut String| match kind {
            Kind::Date => cell::date(value, order.date, to),
            Kind::Moment(day) => cell::date(value.div_euclid(day), order.date, to),
            Kind::Decimal(scale) => cell::decimal(value.into(), scale, order.decimal, to),
            Kind::Unsigned if width == 32 => to.push_str(&(value as u32).to_string()),
            Kind::Unsigned => to.push_str(&(value as u64).to_string()),
            _ => to.push_str(&value.to_string()),
        };
        let bytes = |bytes: &[u8], to: &mut String| match kind {
            Kind::Decimal(scale) => {
                cell::decimal(big_endian(bytes).ok_or(NoText)?, scale, order.decimal, to);
                Ok(())
            }
            _ => std::str::from_utf8(bytes).map(|text| to.push_str(text)).map_err(|_| NoText),
        };
        match &self.values {
            Values::Boolean(values) => to.push_str(if values[at] { "true" } else { "false" }),
            Values::Int32(values) => whole(values[at].into(), 32, to),
            Values::Int64(values) => whole(values[at], 64, to),
            Values::Float(values) => {
                // Through text, so that 6.1 stays 6.1.
                let text = values[at].to_string();
                cell::float(text.parse().unwrap_or(f64::NAN), order.decimal, to);
            }
            Values::Double(values) => cell::float(values[at], order.decimal, to),
            Values::Bytes(values) => bytes(values[at].data(), to)?,
            Values::Fixed(values) => bytes(values[at].data(), to)?,
        }
        Ok(())
    }
}

fn read<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    rows: usize,
    optional: bool,
    typed: fn(Vec<T::T>) -> Values,
) -> Option<(Batch, usize)> {
    let (mut values, mut present) = (Vec::new(), Vec::new());
    let mut read = 0;
    while read < rows {
        let levels = optional.then_some(&mut present);
        let (records, _, _) = reader.read_records(rows - read, levels, None, &mut values).ok()?;
        if records == 0 {
            break;
        }
        read += records;
    }
    let expected = if optional { present.iter().filter(|level| **level != 0).count() } else { read };
    let fits = values.len() == expected && (!optional || present.len() == read);
    fits.then(|| (Batch { values: typed(values), present, next: 0 }, read))
}

/// A number of at most 16 bytes.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let (first, rest) = bytes.split_first()?;
    (rest.len() < 16).then(|| rest.iter().fold(i128::from(*first as i8), |n, byte| n << 8 | i128::from(*byte)))
}
