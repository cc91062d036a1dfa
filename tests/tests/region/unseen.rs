//! A daemon's memory: in no core file, and not for other processes of its user.

use koonti_tests::binaries::binary;
use koonti_tests::{Node, Plan, Region, not_tested, root_or_untested, until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A user that owns nothing.
const NOBODY: &str = "65534";

fn nobody(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]).arg(program);
    command
}

/// Whether nobody may read this of a process.
fn nobody_reads(process: u32, what: &str) -> bool {
    let read = nobody(Path::new("head")).args(["-c", "1"]).arg(format!("/proc/{process}/{what}")).output();
    read.expect("head runs").status.success()
}

#[test]
fn memory_is_in_no_core_file_and_not_for_others() {
    let mut region = Plan::new().node(Node::auto("kainuu", "205")).start();
    // As much as the system lets: the daemons lower it for themselves.
    let most = getrlimit(Resource::Core).maximum;
    setrlimit(Resource::Core, Rlimit { current: most, maximum: most }).expect("a soft limit");
    let control = Command::new("sh").args(["-c", "kill -ABRT $$"]).current_dir(region.dir()).status().expect("sh runs");
    assert_eq!(control.signal(), Some(6));
    if !control.core_dumped() {
        not_tested("that no core file is made", "this system makes none at all: only the limit is looked at");
    }
    region.take_node("kainuu").stop();
    region.start_node("kainuu");
    region.wait_until_node_connected("kainuu");
    let node = region.take_node("kainuu");
    let coordinator = region.take_coordinator();
    for daemon in [node, coordinator] {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", daemon.id())).expect("limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
        assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
        let ended = daemon.abort();
        assert!(ended.signal() == Some(6) && !ended.core_dumped(), "{ended:?}");
    }
    if !root_or_untested("a daemon's memory is not for other processes of its user") {
        return;
    }
    let mut sleeper = nobody(Path::new("sleep")).arg("60").spawn().expect("sleep runs");
    until("a sleeper that is read", Duration::from_secs(5), || nobody_reads(sleeper.id(), "maps").then_some(()));
    assert!(nobody_reads(sleeper.id(), "environ"));
    ended(&mut sleeper);
    for (program, config) in
        [("koonti-coordinator", "coordinator/coordinator.toml"), ("koonti-node", "kainuu/node.toml")]
    {
        let mut daemon = of_nobody(&region, program, config);
        until("the daemon runs", Duration::from_secs(10), || {
            let log = std::fs::read_to_string(region.dir().join(program).with_extension("log")).ok()?;
            log.contains("running").then_some(()).or(log.contains("not connected; trying").then_some(()))
        });
        assert_eq!(daemon.try_wait().expect("a child is asked"), None);
        for what in ["maps", "mem", "environ", "auxv"] {
            assert!(!nobody_reads(daemon.id(), what), "{what} of {program}");
        }
        ended(&mut daemon);
    }
}

fn ended(child: &mut Child) {
    child.kill().expect("a child is killed");
    child.wait().expect("a killed child ends");
}

/// The daemon as a user of its own, as the packages run it.
fn of_nobody(region: &Region, program: &str, config: &str) -> Child {
    let open = Command::new("chmod").arg("711").arg(region.dir()).status().expect("chmod runs");
    let folder = region.dir().join(config).parent().expect("a folder").to_owned();
    let given = Command::new("chown").args(["-R", NOBODY]).arg(&folder).status().expect("chown runs");
    assert!(open.success() && given.success());
    let copy = region.dir().join(program);
    std::fs::copy(binary(program), &copy).expect("a copy");
    let log = std::fs::File::create(copy.with_extension("log")).expect("a log");
    let mut command = nobody(&copy);
    command.arg("--config").arg(region.dir().join(config)).arg("run");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the daemon starts")
}
