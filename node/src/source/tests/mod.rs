//! Small registers, and what becomes of them.

mod dialects;
mod dialects_refused;
mod draft;
mod events;
mod identity;
mod mapping;
mod meaning;
mod order;
mod parquet;
mod people;
mod refused;
mod rows;
mod same;
mod split;
mod tuples;

use std::fs::{self, File};

use encoding_rs::WINDOWS_1252;
use koonti_disclosure::Codebook;
use koonti_disclosure::codebook::Dimension;
use koonti_tally::Slice;
use ring::hmac;
use tempfile::TempDir;

use super::{Error, Imported, Mapping, import};

const TAG_KEY: [u8; 32] = [7; 32];
const HEADER: &str = "asiakas;pvm;syntymävuosi;sukupuoli;kotikunta;tarve;ensisijainen;D01;D02;kielto;turvakielto;huom";
const MAPPING: &str = r#"
source = "adult-social-work"
register = "adult-social-work"
file = "register.csv"
[format]
delimiter = ";"
encoding = "utf-8"
date = "d.m.yyyy"
decimal = ","
[columns]
client = "asiakas"
date = "pvm"
birth_year = "syntymävuosi"
sex = "sukupuoli"
area = "kotikunta"
need = "tarve"
primary = { column = "ensisijainen", value = "k" }
[columns.scores]
D01 = "D01"
D02 = "D02"
[restrict]
exclude_if = [{ column = "kielto", value = "k" }]
hide_area_if = [{ column = "turvakielto", value = "k" }]
"#;

/// [`MAPPING`] with other words in some places, each of which is there once.
fn mapping_with(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(MAPPING.to_owned(), |mapping, (from, to)| {
        assert_eq!(mapping.matches(from).count(), 1, "{from}");
        mapping.replace(from, to)
    })
}

/// A folder with a mapping and a register.
struct Site(TempDir);

impl Site {
    fn new(mapping: &str, register: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("register.toml"), mapping).unwrap();
        fs::write(folder.path().join("register.csv"), register).unwrap();
        Self(folder)
    }

    fn mapping(&self) -> Result<Mapping, Error> {
        Mapping::load(&self.0.path().join("register.toml"))
    }

    fn import(&self) -> Result<Imported, Error> {
        import(&self.mapping()?, Codebook::built_in(), &TAG_KEY)
    }
}

/// Imports rows under [`HEADER`] with [`MAPPING`].
fn import_rows(rows: &str) -> Result<Imported, Error> {
    Site::new(MAPPING, format!("{HEADER}\n{rows}").as_bytes()).import()
}

fn windows_1252(text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = WINDOWS_1252.encode(text);
    assert!(!unmappable);
    bytes.into_owned()
}

impl Imported {
    /// What a slice holds of a client, as `age area sex | needs | scores`; a
    /// primary need ends with `!`, the first of an event begins with `+`. Nothing when the client is not in it. Of the
    /// dimensions that not every register has, what is unknown is left out.
    fn seen(&self, period: &str, key: &str) -> Option<String> {
        self.seen_by(Codebook::built_in(), period, key)
    }

    fn seen_by(&self, codebook: &Codebook, period: &str, key: &str) -> Option<String> {
        let slice = self.slices.get(&period.parse().unwrap())?;
        let message = format!("{period}\0{key}");
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &TAG_KEY), message.as_bytes());
        written(slice, codebook, &tag.as_ref()[..16])
    }

    fn periods(&self) -> Vec<String> {
        self.slices.keys().map(ToString::to_string).collect()
    }

    fn bytes(&self) -> Vec<(String, Vec<u8>)> {
        self.slices.iter().map(|(period, slice)| (period.to_string(), slice.to_bytes())).collect()
    }
}

const OPTIONAL: [&str; 4] = ["household", "labour_status", "contributing_factor", "service_task"];

/// Reads one client out of [`Slice::to_bytes`], whose form `tally` documents.
fn written(slice: &Slice, codebook: &Codebook, tag: &[u8]) -> Option<String> {
    let bytes = slice.to_bytes();
    let (n, r) = (slice.clients(), slice.rows());
    let mut rest = &bytes[52..];
    let mut next = |length: usize| rest.split_off(..length).unwrap();
    let width = |d: &Dimension| if d.codes().len() > 256 { 2 } else { 1 };
    let code = |d: &Dimension, column: &[u8], at: usize| {
        let code = match width(d) {
            1 => usize::from(column[at]),
            _ => usize::from(u16::from_le_bytes([column[2 * at], column[2 * at + 1]])),
        };
        d.codes()[code].code.clone()
    };
    let client = next(16 * n).chunks_exact(16).position(|t| t == tag)?;
    let ends: Vec<usize> = next(4 * n).as_chunks().0.iter().map(|end| u32::from_le_bytes(*end) as usize).collect();
    let rows = client.checked_sub(1).map_or(0, |before| ends[before])..ends[client];

    let dimensions = codebook.dimensions().iter();
    let (exclusive, several): (Vec<_>, Vec<_>) = dimensions.partition(|d| d.exclusive);
    let silent = |d: &Dimension, code: &str| OPTIONAL.contains(&d.id.as_str()) && code == "unknown";
    let exclusive = exclusive.iter().map(|d| (d, code(d, next(n * width(d)), client)));
    let exclusive: Vec<String> = exclusive.filter(|(d, code)| !silent(d, code)).map(|(_, code)| code).collect();
    let scores = codebook.scores().iter().filter_map(|s| match next(n)[client] {
        255 => None,
        score => Some(format!("{}={}", s.id, f64::from(score) / 2.0)),
    });
    let scores: Vec<String> = scores.collect();
    let several: Vec<Vec<String>> = several
        .iter()
        .map(|d| {
            let column = next(r * width(d));
            let codes = rows.clone().map(|row| code(d, column, row));
            codes.map(|code| if silent(d, &code) { String::new() } else { code }).collect()
        })
        .collect();
    let flag = |column: &[u8], row: usize| column[row / 8] >> (row % 8) & 1 == 1;
    let primary = next(r.div_ceil(8));
    let begins = slice.has_events().then(|| next(r.div_ceil(8)));
    let needs: Vec<String> = rows
        .enumerate()
        .map(|(i, row)| {
            let codes = several.iter().map(|column| column[i].as_str()).filter(|code| !code.is_empty());
            let codes: Vec<&str> = codes.collect();
            let before = if begins.is_some_and(|begins| flag(begins, row)) { "+" } else { "" };
            before.to_owned() + &codes.join("/") + if flag(primary, row) { "!" } else { "" }
        })
        .collect();
    Some([exclusive, needs, scores].map(|part| part.join(" ")).join(" | ").trim_end().to_owned())
}
