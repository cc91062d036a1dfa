//! All that an import would refuse of a register's fields, counted: for the operator who
//! corrects it, after the import has named the first.
//!
//! Reads the file once more, row after row, and counts the first fault of each row and
//! the fault of its area. It names columns, rules and places and never what stands there.
//! It has no memory of clients: rows of people who would be dropped count, too. A row that
//! is none ends it.

use std::fs::File;
use std::io::Read;

use koonti_disclosure::Codebook;

use super::MAX_PERIODS;
use super::column::Fault;
use super::error::{At, Error, RowFault, Rule};
use super::format::Kind;
use super::mapping::Mapping;
use super::plan::{Coded, Plan};
use super::rows::Stop;
use super::split::{BLOCK_BYTES, Place, Width};
use crate::parquet::Unpacking;

/// How many places are named of each fault.
const FIRST: usize = 3;

/// The faults of a register's fields, in the order in which they were met.
pub struct Survey {
    /// Each column and rule once.
    pub faults: Vec<Often>,
    /// What ended the reading before the file did.
    pub ended: Option<(At, RowFault)>,
}

/// How often fields of a column break a rule.
pub struct Often {
    /// The column, as the mapping names it.
    pub column: String,
    /// The rule.
    pub rule: Rule,
    /// The rows.
    pub rows: u64,
    /// Where the first of them stand.
    pub first: Vec<At>,
}

/// Counts what [`super::import`] refuses.
///
/// # Errors
/// When the register cannot be read, or has not the columns of the mapping.
pub fn survey(mapping: &Mapping, codebook: &Codebook) -> Result<Survey, Error> {
    let path = mapping.register_path();
    let read_error = |source| Error::Read { path: path.clone(), source };
    let from: Box<dyn Read> = match mapping.format.kind {
        Kind::Csv => Box::new(File::open(&path).map_err(read_error)?),
        Kind::Parquet => Box::new(Unpacking::start(&mapping.order()).map_err(read_error)?),
    };
    let at = |line| mapping.format.at(line);
    let row_error = |line, fault| Error::Row { file: mapping.file.clone(), at: at(line), fault };
    let stopped = |stop| match stop {
        Stop::Read(source) => read_error(source),
        Stop::Row(line, fault) => row_error(line, fault),
    };
    let mut register = mapping.format.rows(from, BLOCK_BYTES);
    if !register.header().map_err(stopped)? {
        return Err(row_error(1, RowFault::NoHeader));
    }
    let mut width = Width::of(register.row().len());
    let mut plan = Plan::new(register.row(), at(register.line()), mapping, codebook)?;
    let mut coded = Coded::default();
    let mut survey = Survey { faults: Vec::new(), ended: None };
    loop {
        match register.next() {
            Ok(true) => {}
            Ok(false) => return Ok(survey),
            Err(Stop::Read(source)) => return Err(read_error(source)),
            Err(Stop::Row(line, fault)) => {
                survey.ended = Some((at(line), fault));
                return Ok(survey);
            }
        }
        let row = register.row();
        if let Err(fault) = width.check(row, Place::default()) {
            survey.ended = Some((at(register.line()), fault));
            return Ok(survey);
        }
        let marks = plan.marks(row).and_then(|_| plan.client.read(row, |_| ()));
        let read = marks.and_then(|()| plan.code(row, &mut coded));
        // Each further quarter is one too many.
        plan.quarters.truncate(MAX_PERIODS);
        for fault in read.err().into_iter().chain(coded.area_fault.take()) {
            survey.count(fault, || at(register.line()));
        }
    }
}

impl Survey {
    fn count(&mut self, Fault { column, rule }: Fault, at: impl FnOnce() -> At) {
        let known = self.faults.iter().position(|often| often.rule == rule && often.column == column);
        let place = known.unwrap_or_else(|| {
            self.faults.push(Often { column, rule, rows: 0, first: Vec::new() });
            self.faults.len() - 1
        });
        let often = &mut self.faults[place];
        often.rows += 1;
        if often.first.len() < FIRST {
            often.first.push(at());
        }
    }
}
