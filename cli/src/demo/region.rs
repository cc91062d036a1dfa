//! A region of real processes on free loopback ports.
//!
//! It ends only processes that it started, by their own handles.

use crate::error::Error;
use crate::files::{make_dir, write};
use crate::synth;
use koonti_proto::PeopleLink;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const NODE_TOML: &str = include_str!("../../../config/node.toml");
const POLICY_TOML: &str = include_str!("../../../config/policy.toml");
/// Imports and enrolments that run at the same time.
const AT_ONCE: usize = 4;

/// The running region.
pub(super) struct Region {
    dir: PathBuf,
    names: Vec<String>,
    processes: Vec<(String, Child)>,
}

impl Region {
    /// Makes registers, governance, coordinator and nodes in an empty folder and
    /// starts them.
    pub(super) fn start(dir: &Path, seed: u64, nodes: usize) -> Result<Self, Error> {
        eprintln!("[1/5] inventing client registers for {nodes} organisations (seed {seed})");
        let nodes = synth::write(&synth::Plan { seed, nodes, clients: None, dialect: None, events: false }, dir)?;
        let names = nodes.iter().map(|n| n.name.clone()).collect();
        let mut region = Self { dir: dir.to_owned(), names, processes: Vec::new() };
        make_dir(&dir.join("logs"))?;

        eprintln!("[2/5] governance key, certificate authority, coordinator");
        let (port, enrolment) = free_ports()?;
        let governance = dir.join("governance");
        output(binary("koonti")?.args(["governance", "init", "--region", "ita", "--out"]).arg(&governance))?;
        let mut init = binary("koonti-coordinator")?;
        init.args(["init", "--region", "ita", "--listen", &format!("127.0.0.1:{port}")]);
        init.args(["--enrolment-listen", &format!("127.0.0.1:{enrolment}")]);
        init.arg("--governance").arg(governance.join("governance.pub")).arg("--dir").arg(dir.join("coordinator"));
        output(&mut init)?;
        region.run_daemon("coordinator", region.coordinator()?.arg("run"))?;
        wait_for_port(port)?;
        wait_for_port(enrolment)?;

        eprintln!("[3/5] enrolling nodes and a regional coordinator, importing the registers");
        let (main_url, enrolment_url) = (format!("https://127.0.0.1:{port}"), format!("https://127.0.0.1:{enrolment}"));
        for node in &nodes {
            let home = dir.join(&node.name);
            let toml = NODE_TOML
                .replace("https://127.0.0.1:7443", &main_url)
                .replace("https://127.0.0.1:7444", &enrolment_url);
            write(&home.join("node.toml"), &toml)?;
            write(&home.join("policy.toml"), &POLICY_TOML.replace("approval = \"each\"", "approval = \"auto\""))?;
            let invite = ["node", "invite", &node.name, "--areas", &node.areas.join(",")];
            let token = output(region.coordinator()?.args(invite))?;
            write(&home.join("invitation.txt"), &token)?;
        }
        for (person, role, profile) in
            [("aino", "requester", region.requester()), ("outi", "auditor", region.auditor())]
        {
            let token = output(region.coordinator()?.args(["person", "invite", person, "--role", role]))?;
            let file = dir.join(format!("invitation-{person}.txt"));
            write(&file, &token)?;
            let mut enroll = binary("koonti")?;
            enroll.arg("--profile").arg(profile).arg("enroll").arg("--token-file").arg(file);
            output(enroll.args(["--enrolment", &enrolment_url, "--coordinator", &main_url]))?;
        }
        region.at_all_nodes(|home| {
            ["enroll".into(), "--token-file".into(), home.join("invitation.txt").display().to_string()].into()
        })?;
        // In a region each organisation has persons of its own; here two approve all rules.
        let approver = |file: &str| -> Result<[String; 2], Error> {
            let path = dir.join(file).display().to_string();
            let new = ["approver", "new", "--out", &path];
            let public = output(region.node(&nodes[0].name)?.args(new))?.trim().to_owned();
            Ok([public, path])
        };
        let ([one, first], [other, second]) = (approver("dpo.key")?, approver("director.key")?);
        region.at_all_nodes(|_| ["approver".into(), "set".into(), one.clone(), other.clone()].into())?;
        let approve = ["policy", "approve", "--key", &first, "--key", &second].map(str::to_owned);
        region.at_all_nodes(|_| approve.to_vec())?;
        region.at_all_nodes(|_| ["import".into()].into())?;

        eprintln!("[4/5] governance signs the roster, each organisation approves it");
        let draft = output(region.coordinator()?.args(["roster", "draft"]))?;
        write(&dir.join("roster-draft.json"), &draft)?;
        let mut sign = binary("koonti")?;
        sign.args(["governance", "sign"]).arg(dir.join("roster-draft.json"));
        let signed = output(sign.arg("--key").arg(governance.join("governance.key")))?;
        let roster = dir.join("roster.json");
        write(&roster, signed.trim_end())?;
        output(region.coordinator()?.args(["roster", "install"]).arg(&roster))?;
        let roster = roster.display().to_string();
        region.at_all_nodes(|_| {
            ["roster".into(), "approve".into(), "--file".into(), roster.clone(), "--yes".into()].into()
        })?;
        for node in &nodes {
            region.run_daemon(&node.name, region.node(&node.name)?.arg("run"))?;
        }
        Ok(region)
    }

    /// The folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The nodes' names.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// The profile of the person who asks.
    pub(super) fn requester(&self) -> PathBuf {
        self.dir.join("aino")
    }

    /// The profile of the person who audits.
    pub(super) fn auditor(&self) -> PathBuf {
        self.dir.join("outi")
    }

    /// Waits until all nodes are connected.
    pub(super) async fn wait_for_nodes(&self, link: &PeopleLink) -> Result<(), Error> {
        eprintln!("[5/5] waiting for {} nodes to connect, then asking", self.names.len());
        let start = Instant::now();
        loop {
            let connected = match link.nodes().await {
                Ok(nodes) => nodes.iter().filter(|n| n.connected).count(),
                Err(_) if start.elapsed() < Duration::from_secs(10) => 0,
                Err(failure) => return Err(failure.into()),
            };
            if connected == self.names.len() {
                return Ok(());
            }
            if start.elapsed() > Duration::from_secs(30) {
                let logs = self.dir.join("logs");
                return Err(Error::Other(format!("only {connected} nodes have connected: see {}", logs.display())));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The allowance of a node, by period, as the node itself reports it.
    pub(super) fn allowances(&self, name: &str) -> Result<Vec<Value>, Error> {
        let budget = self.ask_node(name, &["budget", "--output", "json"])?;
        serde_json::from_str(&budget).map_err(|e| Error::Other(format!("{name}: {e}")))
    }

    /// What is left of a period, summed over all nodes.
    pub(super) fn left(&self, period: &str) -> Result<u64, Error> {
        let mut sum = 0;
        for name in &self.names {
            let allowances = self.allowances(name)?;
            let of_period = allowances.iter().filter(|a| a["period"] == period);
            sum += of_period.filter_map(|a| a["left_nano_rho"].as_u64()).sum::<u64>();
        }
        Ok(sum)
    }

    /// Runs a command of one node and returns what it printed.
    pub(super) fn ask_node(&self, name: &str, args: &[&str]) -> Result<String, Error> {
        output(self.node(name)?.args(args))
    }

    /// The bytes of a release as they left a node, signature included.
    pub(super) fn release_bytes(&self, name: &str, id: &str) -> Result<u64, Error> {
        let unreadable = |why: &str| Error::Other(format!("{name}: the list of its releases is not readable: {why}"));
        let list = self.ask_node(name, &["releases", "list", "--output", "json"])?;
        let list: Vec<Value> = serde_json::from_str(&list).map_err(|e| unreadable(&e.to_string()))?;
        let release = list.iter().find(|release| release["id"] == id).and_then(|release| release["sha256"].as_str());
        let release = release.ok_or_else(|| unreadable("it does not list a table that it released"))?;
        let path = self.dir.join(name).join("state/releases").join(format!("{release}.release"));
        Ok(std::fs::metadata(&path).map_err(|e| Error::file(&path, &e))?.len())
    }

    /// What a node writes down durably, in order.
    pub(super) fn journal(&self, name: &str) -> PathBuf {
        self.dir.join(name).join("state/journal")
    }

    /// Kills the daemon of a node, as a power cut would: it says goodbye to nobody.
    pub(super) fn kill(&mut self, name: &str) -> Result<(), Error> {
        let child = self.processes.iter_mut().find(|(running, _)| running == name).map(|(_, child)| child);
        let child = child.ok_or_else(|| Error::Other(format!("{name} does not run")))?;
        child.kill().and_then(|()| child.wait()).map_err(|e| Error::Other(format!("{name} does not end: {e}")))?;
        Ok(())
    }

    /// Stops everything that was started: politely first.
    pub(super) fn stop(mut self) {
        self.end_processes();
    }

    fn end_processes(&mut self) {
        // Those that have been waited for are gone; their numbers may be others' now.
        self.processes.retain_mut(|(_, child)| matches!(child.try_wait(), Ok(None)));
        for (_, child) in &self.processes {
            if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
                // It may have ended by itself.
                let _ = kill_process(pid, Signal::TERM);
            }
        }
        let start = Instant::now();
        for (_, mut child) in self.processes.drain(..) {
            while matches!(child.try_wait(), Ok(None)) && start.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn coordinator(&self) -> Result<Command, Error> {
        let mut command = binary("koonti-coordinator")?;
        command.arg("--config").arg(self.dir.join("coordinator/coordinator.toml"));
        Ok(command)
    }

    fn node(&self, name: &str) -> Result<Command, Error> {
        let mut command = binary("koonti-node")?;
        command.arg("--config").arg(self.dir.join(name).join("node.toml"));
        Ok(command)
    }

    fn run_daemon(&mut self, name: &str, command: &mut Command) -> Result<(), Error> {
        let path = self.dir.join("logs").join(format!("{name}.log"));
        let log = std::fs::File::create(&path).map_err(|e| Error::file(&path, &e))?;
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn();
        let child = child.map_err(|e| Error::Other(format!("{name} does not start: {e}")))?;
        self.processes.push((name.to_owned(), child));
        Ok(())
    }

    fn at_all_nodes(&self, args: impl Fn(&Path) -> Vec<String> + Sync) -> Result<(), Error> {
        let chunk = self.names.len().div_ceil(AT_ONCE);
        std::thread::scope(|scope| {
            let work = |names: &[String]| -> Result<(), Error> {
                for name in names {
                    output(self.node(name)?.args(args(&self.dir.join(name))))?;
                }
                Ok(())
            };
            let threads: Vec<_> = self.names.chunks(chunk).map(|names| scope.spawn(move || work(names))).collect();
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(Error::Other("a thread panicked".into()))))
        })
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        self.end_processes();
    }
}

/// A sibling of this program.
pub(super) fn binary(name: &str) -> Result<Command, Error> {
    let own = std::env::current_exe().map_err(|e| Error::Other(format!("cannot find this program's folder: {e}")))?;
    let path = own.with_file_name(name);
    if path.exists() {
        return Ok(Command::new(path));
    }
    Err(Error::Other(format!(
        "{}: not built: run `cargo build --workspace --bins` in the same profile",
        path.display()
    )))
}

/// Runs a command to its end and returns its stdout.
fn output(command: &mut Command) -> Result<String, Error> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|e| Error::Other(format!("{program}: {e}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::Other(format!("{program} failed: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn free_ports() -> Result<(u16, u16), Error> {
    let port = || -> std::io::Result<TcpListener> { TcpListener::bind("127.0.0.1:0") };
    let both = port().and_then(|a| Ok((a.local_addr()?.port(), port()?.local_addr()?.port())));
    both.map_err(|e| Error::Other(format!("no free loopback port: {e}")))
}

fn wait_for_port(port: u16) -> Result<(), Error> {
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if start.elapsed() > Duration::from_secs(10) {
            return Err(Error::Other(
                "the coordinator does not listen within ten seconds: see logs/coordinator.log".into(),
            ));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
