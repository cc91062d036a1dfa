//! The region under test, step by step or all at once.
//!
//! A [`Plan`] says who takes part. [`Plan::start`] brings everything up: enrolled,
//! imported, the roster signed and approved, all nodes connected.
//! [`Plan::prepare`] stops after the coordinator runs, for scenarios about the
//! steps themselves; each step is a method of [`Region`].

mod kept;

use crate::command::{Run, Said};
use crate::daemon::Daemon;
use crate::disk::NodeDisk;
use crate::pages::Pages;
use crate::ports::Port;
use crate::register;
use crate::wait::until;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

const NODE_TOML: &str = include_str!("../../config/node.toml");
const POLICY_TOML: &str = include_str!("../../config/policy.toml");

/// The region's name.
pub const NAME: &str = "ita";
/// Who fetches evidence in a region that [`Plan::start`] has brought up.
pub const AUDITOR: &str = "outi";
/// Longest wait for a daemon to do what it should do at once.
const SOON: Duration = Duration::from_secs(20);

/// Who says yes at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Approval {
    /// A person, for each question.
    Each,
    /// The rules.
    Auto,
}

/// What becomes of questions about events at a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Events {
    /// Its rules are the shipped ones, which do not allow them.
    NotAllowed,
    /// Its rules allow them, and its register has none.
    NotHeld,
    /// Its rules allow them, and its register has them.
    Held,
}

/// A node, planned.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its name.
    pub name: &'static str,
    /// The municipality that it serves.
    pub area: &'static str,
    /// Who says yes.
    pub approval: Approval,
    /// Clients in each quarter of its register: see [`crate::register`].
    pub clients: usize,
    /// The quarters of its register.
    pub quarters: &'static [&'static str],
    /// What becomes of questions about events.
    pub events: Events,
    /// What its operator states that the register covers.
    pub coverage: Option<&'static str>,
    /// `KOONTI_STOP_AT` of its first start.
    pub stop_at: Option<&'static str>,
}

impl Node {
    /// A node that answers by itself, with 240 clients in one quarter, 2026Q3.
    pub fn auto(name: &'static str, area: &'static str) -> Self {
        Self {
            name,
            area,
            approval: Approval::Auto,
            clients: 240,
            quarters: &["2026Q3"],
            events: Events::NotAllowed,
            coverage: None,
            stop_at: None,
        }
    }

    /// The same, where a person approves each question.
    pub fn each(name: &'static str, area: &'static str) -> Self {
        Self { approval: Approval::Each, ..Self::auto(name, area) }
    }
}

/// Who takes part.
#[derive(Clone, Default, Debug)]
pub struct Plan {
    nodes: Vec<Node>,
    persons: Vec<(&'static str, &'static str)>,
    traced: Option<&'static str>,
}

impl Plan {
    /// Nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// And this node.
    #[must_use]
    pub fn node(mut self, node: Node) -> Self {
        self.nodes.push(node);
        self
    }

    /// And this person, with roles such as `requester,auditor`.
    #[must_use]
    pub fn person(mut self, name: &'static str, roles: &'static str) -> Self {
        self.persons.push((name, roles));
        self
    }

    /// And this node's steps on the disk are written down, in debug builds: see
    /// [`Region::trace`].
    #[must_use]
    pub fn traced(mut self, node: &'static str) -> Self {
        self.traced = Some(node);
        self
    }

    /// Governance and a running coordinator; nodes have their files, and nobody
    /// is enrolled.
    ///
    /// # Panics
    /// When a step fails.
    pub fn prepare(self) -> Region {
        Region::prepare(self)
    }

    /// The whole region, connected.
    ///
    /// # Panics
    /// When a step fails.
    pub fn start(mut self) -> Region {
        self.persons.push((AUDITOR, "auditor"));
        let nodes = self.nodes.clone();
        let persons = self.persons.clone();
        let mut region = self.prepare();
        for node in &nodes {
            let token = region.invite_node(node);
            region.enroll_node(node.name, &token);
            region.node(node.name).arg("import").ok();
        }
        for (name, roles) in &persons {
            let token = region.invite_person(name, roles);
            region.enroll_person(name, &token);
        }
        let roster = region.next_roster();
        region.install_roster(&roster);
        for node in &nodes {
            region.approve_roster(node.name, &roster);
            let stop = node.stop_at.map(|step| ("KOONTI_STOP_AT", step));
            region.start_node_with(node.name, stop.as_slice());
        }
        region.wait_until_connected();
        region
    }
}

/// A region in a temporary folder.
pub struct Region {
    // Before the folder, so that no process outlives its files.
    coordinator: Option<Daemon>,
    nodes: BTreeMap<&'static str, Daemon>,
    // Held for the locks.
    _ports: [Port; 2],
    main_port: u16,
    enrolment_port: u16,
    rosters: u32,
    traced: Option<&'static str>,
    folder: tempfile::TempDir,
}

impl Region {
    fn prepare(plan: Plan) -> Self {
        let folder = tempfile::Builder::new().prefix("koonti-region-").tempdir().expect("a temporary folder");
        let ports = [Port::take(), Port::take()];
        let (main_port, enrolment_port) = (ports[0].number, ports[1].number);
        let mut region = Self {
            coordinator: None,
            nodes: BTreeMap::new(),
            _ports: ports,
            main_port,
            enrolment_port,
            rosters: 0,
            traced: plan.traced,
            folder,
        };
        let dir = region.dir().to_owned();
        std::fs::create_dir(dir.join("logs")).expect("a folder");
        Run::new("koonti").words("governance init --region").arg(NAME).arg("--out").arg(dir.join("governance")).ok();
        Run::new("koonti-coordinator")
            .words(&format!("init --region {NAME} --listen 127.0.0.1:{main_port}"))
            .words(&format!("--enrolment-listen 127.0.0.1:{enrolment_port} --governance"))
            .arg(dir.join("governance/governance.pub"))
            .arg("--dir")
            .arg(dir.join("coordinator"))
            .ok();
        for node in plan.nodes {
            region.write_node(&node);
        }
        region.start_coordinator();
        region
    }

    /// Writes the folder of a node: configuration, policy, register.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_node(&self, node: &Node) {
        let home = self.home(node.name);
        std::fs::create_dir(&home).expect("a folder");
        let toml = replaced(NODE_TOML, "https://127.0.0.1:7443", &self.main_url());
        let toml = replaced(&toml, "https://127.0.0.1:7444", &self.enrolment_url());
        std::fs::write(home.join("node.toml"), toml).expect("a file");
        let policy = match node.approval {
            Approval::Each => POLICY_TOML.to_owned(),
            Approval::Auto => replaced(POLICY_TOML, "approval = \"each\"", "approval = \"auto\""),
        };
        let policy = match node.events {
            Events::NotAllowed => policy,
            Events::NotHeld | Events::Held => {
                replaced(&policy, "[\"clients\", \"score\"]", "[\"clients\", \"score\", \"events\"]")
            }
        };
        std::fs::write(home.join("policy.toml"), policy).expect("a file");
        match node.events {
            Events::NotAllowed | Events::NotHeld => register::write(&home, node.clients, node.quarters, node.area),
            Events::Held => register::write_events(&home, node.clients, node.quarters, node.area),
        }
        if let Some(coverage) = node.coverage {
            let mapping = std::fs::read_to_string(home.join("register.toml")).expect("a mapping");
            let mapping = format!("coverage = \"{coverage}\"\n{mapping}");
            std::fs::write(home.join("register.toml"), mapping).expect("a mapping");
        }
    }

    /// The folder of everything.
    pub fn dir(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a node or the profile of a person.
    pub fn home(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// The files of a node.
    pub fn disk(&self, node: &str) -> NodeDisk {
        NodeDisk::at(&self.home(node))
    }

    /// The coordinator's state directory.
    pub fn coordinator_state(&self) -> PathBuf {
        self.dir().join("coordinator/state")
    }

    /// Where nodes and people connect.
    pub fn main_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.main_port)
    }

    /// Where newcomers connect.
    pub fn enrolment_url(&self) -> String {
        format!("https://127.0.0.1:{}", self.enrolment_port)
    }

    /// A command of the coordinator's operator.
    pub fn coordinator(&self) -> Run {
        Run::new("koonti-coordinator").arg("--config").arg(self.dir().join("coordinator/coordinator.toml"))
    }

    /// A command of a node's operator.
    pub fn node(&self, name: &str) -> Run {
        let run = Run::new("koonti-node").arg("--config").arg(self.home(name).join("node.toml"));
        let trace = self.trace();
        match self.traced {
            Some(traced) if traced == name => run.env("KOONTI_DISK_TRACE", trace.to_str().expect("a path")),
            _ => run,
        }
    }

    /// Every step on the disk of the traced node's daemon and commands: for [`crate::sim`].
    pub fn trace(&self) -> PathBuf {
        self.dir().join("trace")
    }

    /// A command of a person.
    pub fn person(&self, name: &str) -> Run {
        Run::new("koonti").arg("--profile").arg(self.home(name))
    }

    /// Invites a node; returns the invitation.
    ///
    /// # Panics
    /// When that fails.
    pub fn invite_node(&self, node: &Node) -> String {
        self.coordinator().words(&format!("node invite {} --areas {}", node.name, node.area)).ok().out
    }

    /// Invites a person; returns the invitation.
    ///
    /// # Panics
    /// When that fails.
    pub fn invite_person(&self, name: &str, roles: &str) -> String {
        self.coordinator().words(&format!("person invite {name} --role {roles}")).ok().out
    }

    /// Enrols a node, and has two persons approve its rules; returns the fingerprint
    /// it shows.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn enroll_node(&self, name: &str, token: &str) -> String {
        let fingerprint = self.node(name).words("enroll --token-file -").input(token).ok().out.trim().to_owned();
        self.approve_policy(name);
        fingerprint
    }

    /// A person's `enroll`, into the profile folder `profile`.
    pub fn enroll_into(&self, profile: &str, token: &str) -> Run {
        let urls = format!("--enrolment {} --coordinator {}", self.enrolment_url(), self.main_url());
        self.person(profile).words("enroll --token-file -").words(&urls).input(token)
    }

    /// Enrols a person; returns the fingerprint shown.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn enroll_person(&self, name: &str, token: &str) -> String {
        self.enroll_into(name, token).ok().out.trim().to_owned()
    }

    /// Drafts the next roster of all who have enrolled and has governance sign
    /// it; returns the signed file.
    ///
    /// # Panics
    /// When that fails.
    pub fn next_roster(&mut self) -> PathBuf {
        self.rosters += 1;
        let draft = self.coordinator().words("roster draft").ok().out;
        let signed = Run::new("koonti").words("governance sign - --key");
        let signed = signed.arg(self.dir().join("governance/governance.key")).input(&draft).ok().out;
        let path = self.dir().join(format!("roster-{}.json", self.rosters));
        std::fs::write(&path, signed.trim_end()).expect("a file");
        path
    }

    /// Puts a roster in force at the coordinator.
    ///
    /// # Panics
    /// When that fails.
    pub fn install_roster(&self, roster: &Path) {
        self.coordinator().words("roster install").arg(roster).ok();
    }

    /// Approves a roster at a node, from the file.
    ///
    /// # Panics
    /// When that fails.
    pub fn approve_roster(&self, node: &str, roster: &Path) {
        self.node(node).words("roster approve --yes --file").arg(roster).ok();
    }

    /// Has two persons of a node's organisation approve its rules as they stand.
    ///
    /// # Panics
    /// When that fails.
    pub fn approve_policy(&self, node: &str) {
        let home = self.home(node);
        let files = ["dpo.key", "director.key"].map(|file| home.join(file));
        if !files[0].exists() {
            let public = |file| self.node(node).words("approver new --out").arg(file).ok().out.trim().to_owned();
            let [one, two] = files.each_ref().map(public);
            self.node(node).words("approver set").arg(one).arg(two).ok();
        }
        self.node(node).words("policy approve --key").arg(&files[0]).arg("--key").arg(&files[1]).ok();
    }

    /// Starts the coordinator and waits until it listens.
    ///
    /// # Panics
    /// When it does not within seconds.
    pub fn start_coordinator(&mut self) {
        let mut daemon = self.launch_coordinator(&[]);
        for port in [self.main_port, self.enrolment_port] {
            until("the coordinator listens", SOON, || {
                assert!(daemon.runs(), "it has ended: {}", daemon.log());
                TcpStream::connect(("127.0.0.1", port)).ok()
            });
        }
        self.coordinator = Some(daemon);
    }

    /// Starts the coordinator with environment variables, and leaves it to the caller.
    ///
    /// # Panics
    /// When it runs already.
    pub fn launch_coordinator(&self, env: &[(&str, &str)]) -> Daemon {
        assert!(self.coordinator.is_none(), "the coordinator runs");
        let run = env.iter().fold(self.coordinator().arg("run"), |run, (key, value)| run.env(key, value));
        Daemon::start(run, &self.dir().join("logs/coordinator.log"))
    }

    /// Starts a node's daemon.
    pub fn start_node(&mut self, name: &'static str) {
        self.start_node_with(name, &[]);
    }

    /// Starts a node's daemon with environment variables.
    ///
    /// # Panics
    /// When it runs already.
    pub fn start_node_with(&mut self, name: &'static str, env: &[(&str, &str)]) {
        let run = env.iter().fold(self.node(name).arg("run"), |run, (key, value)| run.env(key, value));
        let daemon = Daemon::start(run, &self.dir().join(format!("logs/{name}.log")));
        assert!(self.nodes.insert(name, daemon).is_none(), "{name} runs already");
    }

    /// Has `coordinator` or a node show its pages on loopback from its next start on.
    ///
    /// # Panics
    /// When its configuration cannot be written.
    pub fn show_pages(&self, of: &str) -> Pages {
        let pages = Pages(Port::take());
        let file = self.home(of).join(if of == "coordinator" { "coordinator.toml" } else { "node.toml" });
        let text = std::fs::read_to_string(&file).expect("a configuration");
        let text = format!("{text}\n[metrics]\nlisten = \"{}\"\n", pages.address());
        std::fs::write(file, text).expect("a configuration");
        pages
    }

    /// Waits until this holds.
    ///
    /// # Panics
    /// When it does not within seconds.
    #[track_caller]
    pub fn wait_until(&mut self, holds: impl Fn(&mut Self) -> bool) {
        until("it holds", SOON, || holds(self).then_some(()));
    }

    /// The running coordinator.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn coordinator_daemon(&mut self) -> &mut Daemon {
        self.coordinator.as_mut().expect("the coordinator runs")
    }

    /// A running node.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn daemon(&mut self, node: &str) -> &mut Daemon {
        self.nodes.get_mut(node).expect("the node runs")
    }

    /// Takes a node's daemon out of the region: to be stopped or killed.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn take_node(&mut self, node: &str) -> Daemon {
        self.nodes.remove(node).expect("the node runs")
    }

    /// Takes the coordinator out of the region: to be stopped or killed.
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    pub fn take_coordinator(&mut self) -> Daemon {
        self.coordinator.take().expect("the coordinator runs")
    }

    /// Waits until every running node is connected, as the coordinator's log says.
    ///
    /// # Panics
    /// When one is not within seconds.
    #[track_caller]
    pub fn wait_until_connected(&mut self) {
        let names: Vec<&str> = self.nodes.keys().copied().collect();
        for name in names {
            self.wait_until_node_connected(name);
        }
    }

    /// Waits until the coordinator's log of this start ends, for this node, with
    /// "connected".
    ///
    /// # Panics
    /// When that takes too long.
    #[track_caller]
    pub fn wait_until_node_connected(&mut self, name: &str) {
        let coordinator = self.coordinator.as_ref().expect("the coordinator runs");
        until(&format!("{name} is connected"), SOON, || {
            let log = coordinator.log();
            let of_node = format!("node={name}");
            let last = log.lines().rfind(|l| l.ends_with(&of_node) && l.contains("connected"))?;
            (!last.contains("disconnected")).then_some(())
        });
    }

    /// The allowance spent of a quarter at a node, as the node's own command
    /// says, in its own unit.
    ///
    /// # Panics
    /// When it does not say.
    #[track_caller]
    pub fn spent(&self, node: &str, quarter: &str) -> u64 {
        let budget = self.node(node).words("budget --output json").ok().json();
        let of_quarter = budget.as_array().and_then(|all| all.iter().find(|b| b["period"] == quarter));
        of_quarter.and_then(|b| b["spent_nano_rho"].as_u64()).unwrap_or_else(|| panic!("no {quarter} in {budget}"))
    }

    /// The questions that a node knows, as `requests list` says.
    ///
    /// # Panics
    /// When it does not say.
    #[track_caller]
    pub fn questions(&self, node: &str) -> Vec<Value> {
        let list = self.node(node).words("requests list --output json").ok().json();
        list.as_array().expect("a list").clone()
    }

    /// Waits until a question stands as `state` at a node.
    ///
    /// # Panics
    /// When it does not within seconds.
    #[track_caller]
    pub fn wait_for_question(&self, node: &str, id: &str, state: &str) -> Value {
        until(&format!("question {id} is {state} at {node}"), SOON, || {
            self.questions(node).into_iter().find(|q| q["id"] == id && q["state"] == state)
        })
    }

    /// Has the auditor fetch the evidence; the bundle and the trust file.
    ///
    /// # Panics
    /// When that fails.
    #[track_caller]
    pub fn evidence(&self) -> (PathBuf, PathBuf) {
        let (bundle, trust) = (self.dir().join("evidence.tar"), self.dir().join("keys.txt"));
        self.person(AUDITOR).words("evidence fetch --out").arg(&bundle).ok();
        std::fs::write(&trust, self.person(AUDITOR).words("evidence keys").ok().out).expect("a file");
        (bundle, trust)
    }

    /// Has the evidence fetched and verified: nothing may be wrong with it. In the
    /// folder `KOONTI_KEEP_BUNDLES` it is kept with its trust file, for another verifier.
    ///
    /// # Panics
    /// When a rule fails.
    #[track_caller]
    pub fn audit(&self) {
        self.audit_finds(&[]);
        if let Some(folder) = std::env::var_os("KOONTI_KEEP_BUNDLES").map(PathBuf::from) {
            let to = folder.join(self.dir().file_name().expect("a name"));
            for (file, extension) in [("evidence.tar", "tar"), ("keys.txt", "txt")] {
                std::fs::copy(self.dir().join(file), to.with_extension(extension)).expect("a copy");
            }
        }
    }

    /// The same, of a region that has released nothing: rule R27 says so, and no other
    /// says anything.
    ///
    /// # Panics
    /// When another rule fails, or none.
    #[track_caller]
    pub fn audit_of_nothing(&self) {
        self.audit_finds(&["R27"]);
    }

    #[track_caller]
    fn audit_finds(&self, expected: &[&str]) {
        let (bundle, trust) = self.evidence();
        let report = verify(&bundle, &trust).json();
        let rules = report["rules"].as_array().expect("rules").iter();
        let failed: Vec<&Value> = rules.filter(|rule| rule["verdict"] == "FAIL").collect();
        let names: Vec<&str> = failed.iter().filter_map(|rule| rule["rule"].as_str()).collect();
        assert_eq!(names, expected, "{failed:#?}");
    }

    /// Asks without waiting; returns the table's id.
    ///
    /// # Panics
    /// When the question is not taken.
    #[track_caller]
    pub fn ask(&self, person: &str, question: &str) -> String {
        let said = self.person(person).words("table run --no-wait").words(question).ok();
        said.out.trim().to_owned()
    }

    /// Asks and waits; the table as JSON is in what is said.
    pub fn run_table(&self, person: &str, question: &str) -> Said {
        self.person(person).words("table run --output json").words(question).say()
    }
}

/// What `koonti-verify bundle` says of a bundle.
pub fn verify(bundle: &Path, trust: &Path) -> Said {
    let run = Run::new("koonti-verify").arg("bundle").arg(bundle).arg("--trust").arg(trust);
    run.words("--output json").say()
}

#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in the file");
    text.replace(from, to)
}
