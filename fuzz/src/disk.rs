//! Bytes against what a daemon reads of its own disk: journals, and extracts once they
//! are decrypted. None panics; what is read is written as the same bytes again.

use koonti_disclosure::{Codebook, TableRequest};
use koonti_journal::Journal;
use koonti_tally::Slice;
use std::cell::RefCell;
use std::path::PathBuf;
use tempfile::TempDir;

thread_local! {
    static FOLDER: RefCell<TempDir> = RefCell::new(tempfile::tempdir().expect("a folder"));
}

/// Reads the bytes as a journal and as an extract.
pub fn disk(data: &[u8]) {
    journal(data);
    extract(data);
}

/// A journal that opens keeps every whole entry, and opens again as the same.
fn journal(data: &[u8]) {
    let path: PathBuf = FOLDER.with_borrow(|folder| folder.path().join("journal"));
    std::fs::write(&path, data).expect("a file");
    let read = koonti_journal::read(&path);
    let opened = Journal::open(&path).map(|(_, entries)| entries);
    match (&read, &opened) {
        (Ok(read), Ok(opened)) => assert_eq!(read, opened, "reading and opening differ"),
        (Err(_), Err(_)) => {
            assert!(std::fs::read(&path).is_ok_and(|bytes| bytes == data), "a refused journal was changed");
            return;
        }
        _ => panic!("a journal can be read or opened, but not both"),
    }
    let again = Journal::open(&path).map(|(_, entries)| entries).expect("it opened before");
    assert_eq!(again, opened.expect("it opened"), "it opens as another");
}

/// An extract that is read can be counted.
fn extract(data: &[u8]) {
    let codebook = Codebook::built_in();
    let Ok(slice) = Slice::from_bytes(data, codebook) else { return };
    assert!(slice.to_bytes() == data, "another extract");
    let request = question(codebook);
    let counted = koonti_tally::count(&request, &[&slice], codebook, 1);
    assert!(counted.is_ok(), "an extract that is read cannot be counted");
}

fn question(codebook: &Codebook) -> TableRequest {
    let json = format!(
        r#"{{"by":["age_group","need","sex"],"codebook":"{}","max_per_client":2,"measure":"clients","periods":["2026Q3"],"purpose":"statistics","region":"ita","register":"r","release":"per_node","v":1,"variance":[16,1]}}"#,
        codebook.hash()
    );
    TableRequest::parse(json.as_bytes(), codebook).expect("a question")
}
