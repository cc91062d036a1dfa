//! Files that change all at once, and directories for their owner only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use koonti_journal::{Error, create_dir_private, write_atomic};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn write_atomic_sets_the_exact_mode_and_leaves_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("identity.key");
    // The usual umask would turn 0666 into 0644.
    for (bytes, bits) in [("old", 0o666), ("new", 0o600), ("newer", 0o440)] {
        write_atomic(&path, bytes.as_bytes(), bits).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), bytes);
        assert_eq!(mode(&path), bits);
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_reader_never_sees_a_mixture() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("checkpoint");
    let contents = [vec![b'a'; 200_000], vec![b'b'; 100_000]];
    write_atomic(&path, &contents[0], 0o600).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (0..60).for_each(|i| write_atomic(&path, &contents[i % 2], 0o600).unwrap());
        });
        while !writer.is_finished() {
            assert!(contents.contains(&fs::read(&path).unwrap()));
        }
    });
}

#[test]
fn a_write_that_fails_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let taken = dir.path().join("taken");
    fs::create_dir_all(taken.join("full")).unwrap();
    assert!(matches!(write_atomic(&taken, b"x", 0o600), Err(Error::Io { .. })));
    assert!(taken.join("full").is_dir());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn private_directories_are_private_all_the_way_down() {
    let dir = tempfile::tempdir().unwrap();
    let open = dir.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o755)).unwrap();
    let deep = open.join("a/b");
    for _ in 0..2 {
        create_dir_private(&deep).unwrap();
        assert_eq!((mode(&open), mode(&open.join("a")), mode(&deep)), (0o755, 0o700, 0o700));
    }
    fs::write(deep.join("file"), "").unwrap();
    assert!(matches!(create_dir_private(&deep.join("file")), Err(Error::Io { .. })));
}
