//! A running daemon, ended by its own handle.

use crate::command::Run;
use crate::wait::until;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::OpenOptions;
use std::net::Ipv4Addr;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

/// A daemon of the region. Dropped, it is killed.
pub struct Daemon {
    child: Child,
    log: PathBuf,
    began: u64,
}

impl Daemon {
    /// Starts it; its stderr is appended to the file `log`.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(run: Run, log: &Path) -> Self {
        let file = OpenOptions::new().create(true).append(true).open(log).expect("a log file");
        let began = file.metadata().expect("a log file has a length").len();
        let mut command = run.into_command();
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        let child = command.spawn().expect("the daemon starts");
        Self { child, log: log.to_owned(), began }
    }

    /// What it has logged since this start.
    ///
    /// # Panics
    /// When the log is gone.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(&self.log).expect("the log is there");
        String::from_utf8_lossy(&bytes[usize::try_from(self.began).expect("small")..]).into_owned()
    }

    /// Waits until it has logged this.
    ///
    /// # Panics
    /// After ten seconds, or when it ends first.
    #[track_caller]
    pub fn wait_for_log(&mut self, text: &str) {
        until(&format!("{text:?} in {}", self.log.display()), Duration::from_secs(20), || {
            if self.log().contains(text) {
                return Some(());
            }
            assert!(self.runs(), "it has ended: {}", self.log());
            None
        });
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child is asked").is_none()
    }

    /// Ends it as `kill -9` does.
    ///
    /// # Panics
    /// When it had ended before.
    #[track_caller]
    pub fn kill(mut self) {
        assert!(self.runs(), "it had ended by itself: {}", self.log());
        self.child.kill().expect("a child is killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Ends it as a bug does, with SIGABRT; how it ended.
    ///
    /// # Panics
    /// When it does not end within ten seconds.
    #[track_caller]
    pub fn abort(mut self) -> ExitStatus {
        self.signal(Signal::ABORT);
        until("the daemon ends", Duration::from_secs(10), || self.child.try_wait().expect("a child is asked"))
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The addresses on which it listens, as `ADDRESS:PORT` of IPv4.
    ///
    /// # Panics
    /// When the system does not tell: that takes its administrator.
    pub fn listens(&self) -> Vec<String> {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let files = std::fs::read_dir(proc.join("fd")).expect("a running process").flatten();
        let files: Vec<String> =
            files.filter_map(|file| Some(std::fs::read_link(file.path()).ok()?.display().to_string())).collect();
        let mut found = Vec::new();
        for table in ["net/tcp", "net/tcp6"] {
            let table = std::fs::read_to_string(proc.join(table)).unwrap_or_default();
            for fields in table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()) {
                let (local, state, inode) = (fields[1], fields[3], fields[9]);
                if state == "0A" && files.contains(&format!("socket:[{inode}]")) {
                    let (address, port) = local.split_once(':').expect("an address and a port");
                    let port = u16::from_str_radix(port, 16).expect("a port");
                    let v4 = u32::from_str_radix(address, 16).map(|bits| Ipv4Addr::from(bits.swap_bytes()));
                    found.push(format!("{}:{port}", v4.map_or_else(|_| address.to_owned(), |v4| v4.to_string())));
                }
            }
        }
        found
    }

    /// Ends it as an operator does, and demands that it ends well.
    ///
    /// # Panics
    /// When it does not end within ten seconds, or with a failure.
    #[track_caller]
    pub fn stop(mut self) {
        self.signal(Signal::TERM);
        let status =
            until("the daemon stops", Duration::from_secs(10), || self.child.try_wait().expect("a child is asked"));
        assert!(status.success(), "{status}: {}", self.log());
    }

    /// Waits until it ends by itself with this code; returns its log.
    ///
    /// # Panics
    /// When it does not within seconds, or with another code.
    #[track_caller]
    pub fn ended(mut self, code: i32) -> String {
        let status = until("the daemon ends by itself", Duration::from_secs(20), || {
            self.child.try_wait().expect("a child is asked")
        });
        assert_eq!(status.code(), Some(code), "{}", self.log());
        self.log()
    }

    /// Waits until it ends by itself, in whatever way; returns how, and its log.
    ///
    /// # Panics
    /// When it does not within seconds.
    #[track_caller]
    pub fn end(mut self) -> (ExitStatus, String) {
        let status = until("the daemon ends by itself", Duration::from_secs(20), || {
            self.child.try_wait().expect("a child is asked")
        });
        (status, self.log())
    }

    /// Halts it (SIGSTOP): it keeps its connections and says nothing.
    ///
    /// # Panics
    /// When it has ended.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a paused daemon go on.
    ///
    /// # Panics
    /// When it has ended.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has an id");
        kill_process(pid, signal).expect("a child takes a signal");
    }

    /// Bytes that it has written so far, to files and to sockets.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn written_bytes(&self) -> u64 {
        let io = std::fs::read_to_string(format!("/proc/{}/io", self.child.id())).expect("a running process");
        let line = io.lines().find_map(|l| l.strip_prefix("wchar: ")).expect("what is written is told");
        line.trim().parse().expect("a number of bytes")
    }

    /// What is in its memory: all that it may write to, as a core file has it.
    ///
    /// # Panics
    /// When the system does not show it.
    pub fn memory(&self) -> Vec<u8> {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let maps = std::fs::read_to_string(proc.join("maps")).expect("a running process");
        let memory = std::fs::File::open(proc.join("mem")).expect("a child's memory");
        let mut all = Vec::new();
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split_once(' ').and_then(|(range, _)| range.split_once('-')).expect("a range");
            let [from, to] = [from, to].map(|text| u64::from_str_radix(text, 16).expect("an address"));
            let mut part = vec![0; usize::try_from(to - from).expect("a size")];
            memory.read_exact_at(&mut part, from).expect("a child's memory");
            all.extend(part);
        }
        all
    }

    /// Resident memory, in kilobytes.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn resident_kb(&self) -> u64 {
        self.status_kb("VmRSS:")
    }

    /// The most resident memory that it has ever had, in kilobytes.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn peak_kb(&self) -> u64 {
        self.status_kb("VmHWM:")
    }

    fn status_kb(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a running process");
        let line = status.lines().find_map(|l| l.strip_prefix(what)).expect("memory is told");
        line.trim().trim_end_matches(" kB").trim().parse().expect("a number of kilobytes")
    }

    /// How many files and sockets it has open.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a running process").count()
    }

    /// How many it may have open, and how many it could ask for.
    ///
    /// # Panics
    /// When the system does not tell.
    pub fn open_files_limits(&self) -> (u64, u64) {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", self.child.id())).expect("a running process");
        let line = limits.lines().find_map(|l| l.strip_prefix("Max open files")).expect("the limit is told");
        let mut numbers = line.split_whitespace().map(|n| n.parse().unwrap_or(u64::MAX));
        (numbers.next().expect("soft"), numbers.next().expect("hard"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}
