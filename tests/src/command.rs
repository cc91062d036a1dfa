//! One command of one program: what it said, and how it ended.

use crate::binaries::binary;
use serde_json::Value;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that any command may take.
const LIMIT: Duration = Duration::from_secs(90);

/// A command, not yet run.
pub struct Run {
    command: Command,
    input: Vec<u8>,
}

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Said {
    /// The exit code.
    pub code: i32,
    /// Its stdout.
    pub out: String,
    /// Its stderr.
    pub err: String,
}

impl Run {
    /// A command of one of our programs, in an environment without our variables.
    pub fn new(program: &str) -> Self {
        let mut command = Command::new(binary(program));
        for name in ["CONFIG", "PROFILE", "STOP_AT", "KILL_AT", "FAIL_AT", "FAIL_WITH", "DISK_TRACE", "PANIC"] {
            command.env_remove(format!("KOONTI_{name}"));
        }
        Self { command, input: Vec::new() }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// Adds the words of `line`.
    #[must_use]
    pub fn words(mut self, line: &str) -> Self {
        self.command.args(line.split_whitespace());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Gives it something to read on stdin, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, text: &str) -> Self {
        self.input = text.as_bytes().to_vec();
        self
    }

    /// The bare command, for a daemon.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end.
    ///
    /// # Panics
    /// When it does not end within 90 seconds.
    #[track_caller]
    pub fn say(mut self) -> Said {
        let shown = format!("{:?}", self.command);
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the program starts");
        // A program may end without reading its input.
        drop(child.stdin.take().map(|mut stdin| stdin.write_all(&self.input)));
        let (out, err) = (gather(child.stdout.take()), gather(child.stderr.take()));
        let code = wait(&mut child).unwrap_or_else(|| panic!("still running after {LIMIT:?}: {shown}"));
        let text = |thread: std::thread::JoinHandle<Vec<u8>>| {
            String::from_utf8(thread.join().expect("a reader ends")).expect("UTF-8")
        };
        Said { code, out: text(out), err: text(err) }
    }

    /// Runs it and demands success.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn ok(self) -> Said {
        self.ends(0)
    }

    /// Runs it and demands an exit code.
    ///
    /// # Panics
    /// When it ends with another.
    #[track_caller]
    pub fn ends(self, code: i32) -> Said {
        let shown = format!("{:?}", self.command);
        let said = self.say();
        assert_eq!(said.code, code, "{shown}\nstdout: {}\nstderr: {}", said.out, said.err);
        said
    }
}

impl Said {
    /// Its stdout as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e} in stdout: {}\nstderr: {}", self.out, self.err))
    }

    /// Demands that stderr says this.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn complains(&self, of: &str) -> &Self {
        assert!(self.err.contains(of), "stderr does not say {of:?}: {}", self.err);
        self
    }
}

fn gather(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).expect("a pipe is read");
        }
        bytes
    })
}

fn wait(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        match child.try_wait().expect("a child is waited for") {
            Some(status) => return Some(status.code().unwrap_or(-1)),
            None if start.elapsed() > LIMIT => {
                // Its end is waited for below; there is nothing else to do about a failure.
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(3)),
        }
    }
}
