//! The rows of a Parquet file, as they come from the process that unpacks it.
//!
//! It ends when the file does, and only then: whatever else ends the process is an error
//! of the reading. What the process says of it is taken only where it ended itself;
//! where it died, nothing that it wrote is shown.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use std::path::Path;

use super::Order;

/// Longer than any [`super::Fault`].
const MOST_SAID_BYTES: u64 = 4096;
/// How the process says that it has said what is wrong.
const SAID: i32 = 1;

/// A Parquet file on its way.
pub(crate) struct Unpacking {
    child: Child,
    rows: ChildStdout,
    done: bool,
}

impl Unpacking {
    /// Starts this very program to unpack the file.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn start(order: &Order) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["register", "unpack", "--date", &order.date.to_string()]);
        command.arg(format!("--decimal={}", order.decimal.char()));
        command.args(order.client.iter().map(|client| format!("--client={client}")));
        command.args(order.columns.iter().map(|column| format!("--column={column}")));
        Self::of(command, &order.file)
    }

    /// Starts it to list the columns, as [`super::list`] does.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(crate) fn columns(file: &Path) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["register", "columns"]);
        Self::of(command, file)
    }

    fn of(mut command: Command, file: &Path) -> io::Result<Self> {
        command.arg("--").arg(file);
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn()?;
        let rows = child.stdout.take().expect("it is piped");
        Ok(Self { child, rows, done: false })
    }

    fn end(&mut self) -> io::Result<()> {
        self.done = true;
        let mut said = String::new();
        let errors = self.child.stderr.take().expect("it is piped, and ends once");
        let read = errors.take(MOST_SAID_BYTES).read_to_string(&mut said);
        let status = self.child.wait()?;
        if status.success() {
            return Ok(());
        }
        let said = match (status.code(), read) {
            (Some(SAID), Ok(_)) => said.trim().to_owned(),
            _ => "the file is damaged, or would take too much memory to read: export it anew".to_owned(),
        };
        Err(io::Error::other(said))
    }
}

impl Read for Unpacking {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.done || into.is_empty() {
            return Ok(0);
        }
        let read = self.rows.read(into)?;
        if read == 0 {
            self.end()?;
        }
        Ok(read)
    }
}

impl Drop for Unpacking {
    fn drop(&mut self) {
        if !self.done {
            // It may have ended by itself.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
