//! One column of codes, as narrow as its dimension allows.
//!
//! A column holds positions in the codebook. It promises that every value lies
//! below the number of codes it was made for.

use crate::error::Error;

/// The values of one dimension, one byte each where 256 codes suffice.
pub(crate) enum Column {
    Narrow(Vec<u8>),
    Wide(Vec<u16>),
}

impl Column {
    /// An empty column for a dimension of so many codes.
    pub(crate) fn new(codes: usize) -> Self {
        if codes <= 256 { Self::Narrow(Vec::new()) } else { Self::Wide(Vec::new()) }
    }

    /// A column of one value, which the caller has found to be below the number of codes.
    pub(crate) fn filled(codes: usize, value: u16, length: usize) -> Self {
        let mut column = Self::new(codes);
        (0..length).for_each(|_| column.push(value));
        column
    }

    /// Bytes per value in a column for so many codes.
    pub(crate) fn width(codes: usize) -> usize {
        if codes <= 256 { 1 } else { 2 }
    }

    /// Appends a value that the caller has found to be below the number of codes.
    pub(crate) fn push(&mut self, code: u16) {
        match self {
            Self::Narrow(values) => values.push(u8::try_from(code).expect("below 256, checked by the caller")),
            Self::Wide(values) => values.push(code),
        }
    }

    pub(crate) fn get(&self, i: usize) -> u16 {
        match self {
            Self::Narrow(values) => u16::from(values[i]),
            Self::Wide(values) => values[i],
        }
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        match self {
            Self::Narrow(values) => values.truncate(length),
            Self::Wide(values) => values.truncate(length),
        }
    }

    /// Appends all values of a column for as many codes.
    pub(crate) fn append(&mut self, other: &Self) {
        match (self, other) {
            (Self::Narrow(values), Self::Narrow(more)) => values.extend_from_slice(more),
            (Self::Wide(values), Self::Wide(more)) => values.extend_from_slice(more),
            _ => unreachable!("columns of one codebook are equally wide"),
        }
    }

    /// The column with its values in the order that `order` lists them.
    pub(crate) fn gather(&self, order: impl Iterator<Item = usize>) -> Self {
        match self {
            Self::Narrow(values) => Self::Narrow(order.map(|i| values[i]).collect()),
            Self::Wide(values) => Self::Wide(order.map(|i| values[i]).collect()),
        }
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Narrow(values) => out.extend_from_slice(values),
            Self::Wide(values) => values.iter().for_each(|v| out.extend_from_slice(&v.to_le_bytes())),
        }
    }

    /// Reads a whole column of a dimension of so many codes.
    pub(crate) fn read(bytes: &[u8], codes: usize) -> Result<Self, Error> {
        let column = if Self::width(codes) == 1 {
            Self::Narrow(bytes.to_vec())
        } else {
            Self::Wide(bytes.as_chunks().0.iter().map(|pair| u16::from_le_bytes(*pair)).collect())
        };
        let largest = match &column {
            Self::Narrow(values) => values.iter().max().copied().map(u16::from),
            Self::Wide(values) => values.iter().max().copied(),
        };
        if largest.is_some_and(|v| usize::from(v) >= codes) { Err(Error::Code) } else { Ok(column) }
    }
}
