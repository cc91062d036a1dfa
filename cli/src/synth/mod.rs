//! Synthetic registers for Eastern Finland: realistic to read, about nobody.
//!
//! [`write()`] makes a folder for each node with a client register in one of the
//! [`Dialect`]s and the mapping that reads it, and beside them `people.csv`: what the registers mean,
//! one line per client, node and quarter, before any bound or noise. Tests and
//! the demonstration compare published tables with it.
//!
//! Promises: the same [`Plan`] gives the same bytes everywhere, and the same people
//! whatever the dialect; identity codes are fictitious ones that no person can have.
//! Does not reproduce any real register, and its figures are inventions.

mod calendar;
mod circumstances;
mod dialect;
mod draw;
mod hetu;
mod mapping;
mod needs;
mod packed;
mod people;
mod populate;
mod register;
#[cfg(test)]
mod tests;
mod topology;
mod truth;
mod visit;

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

pub use dialect::Dialect;
use draw::Draw;
use people::Person;
use populate::{Member, Region};
use register::Register;
use topology::{Site, Town};
use visit::File;

/// The quarters that every register covers, oldest first.
pub const PERIODS: [&str; 5] = {
    let all = &calendar::ALL;
    [all[0].code, all[1].code, all[2].code, all[3].code, all[4].code]
};

/// Largest number of nodes.
pub const MAX_NODES: usize = topology::MAX_NODES;

/// Largest number of distinct persons.
pub const MAX_CLIENTS: usize = 2_000_000;

/// What to make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Fixes everything that is drawn.
    pub seed: u64,
    /// How many nodes, 1 to [`MAX_NODES`]. 6: the counties; 12: the counties,
    /// three employment areas and three NGOs; otherwise municipalities, and
    /// NGOs beyond 66.
    pub nodes: usize,
    /// About how many distinct persons over all nodes and quarters; none: as
    /// many as make 4.5 % of residents clients in each quarter.
    pub clients: Option<usize>,
    /// How all registers are written; none: in all dialects, mixed over the nodes, so
    /// that seven nodes or more have each of them.
    pub dialect: Option<Dialect>,
    /// Registers whose rows are events: in the dialects that have a row for each visit.
    pub events: bool,
}

/// A node whose register was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The node's name and its folder's, of `[a-z0-9-]{1,32}`.
    pub name: String,
    /// Codes of the municipalities it serves, ascending. A few of its clients
    /// live elsewhere.
    pub areas: Vec<String>,
    /// How its register is written.
    pub dialect: Dialect,
    /// Distinct clients that count, over all quarters: as in `people.csv`.
    pub clients: usize,
}

/// Why no registers were written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of nodes is out of range.
    #[error("{0} nodes asked for; choose 1 to {MAX_NODES}")]
    Nodes(usize),
    /// The number of clients is out of range.
    #[error("{clients} clients asked for; choose {least} (one per node) to {MAX_CLIENTS}")]
    Clients {
        /// The number asked for.
        clients: usize,
        /// The least number for so many nodes.
        least: usize,
    },
    /// Events are wanted in a dialect that writes several rows for one.
    #[error(
        "this dialect writes a row for each need, so its rows are no events: choose spreadsheet, warehouse or parquet"
    )]
    Events,
    /// A file or folder could not be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Writes `out/<node>/register.csv` or `register.parquet`, `out/<node>/register.toml` and
/// `out/people.csv`, over files of these names that are there already. Folders
/// are made as needed; nothing is removed.
///
/// Returns the nodes: organisers of social work first, then employment areas,
/// then NGOs.
///
/// # Errors
///
/// [`Error::Nodes`], [`Error::Clients`] or [`Error::Events`] before anything is written;
/// [`Error::Write`] when a file cannot be.
pub fn write(plan: &Plan, out: &Path) -> Result<Vec<Node>, Error> {
    check(plan)?;
    let towns = topology::towns();
    let sites = topology::sites(plan.nodes, &towns);
    let region = populate::populate(plan.seed, plan.clients, &towns, &sites);
    let mut nodes = Vec::with_capacity(sites.len());
    let mut truths = Vec::with_capacity(sites.len());
    for at in 0..sites.len() {
        let site = &sites[at];
        let dialect = plan.dialect.unwrap_or_else(|| mixed(plan, at));
        let mut register = Register::new(&towns, dialect.form());
        let (clients, truth) = fill(plan.seed, at, &sites, &region, &towns, &mut register);
        let folder = out.join(&site.name);
        fs::create_dir_all(&folder).map_err(failed(&folder))?;
        let path = folder.join(dialect.form().file());
        let file = fs::File::create(&path).map_err(failed(&path))?;
        register.write(BufWriter::with_capacity(1 << 18, file)).map_err(failed(&path))?;
        let path = folder.join("register.toml");
        fs::write(&path, mapping::mapping(&dialect.form(), plan.events, site.kind.coverage()))
            .map_err(failed(&path))?;
        nodes.push(Node { name: site.name.clone(), areas: codes(site, &towns), dialect, clients });
        truths.push((site.name.as_str(), truth));
    }
    truths.sort_unstable_by_key(|&(name, _)| name);
    let path = out.join("people.csv");
    write_people(&path, &truths).map_err(failed(&path))?;
    Ok(nodes)
}

/// The dialect of a node where they are mixed.
fn mixed(plan: &Plan, at: usize) -> Dialect {
    let fit = |dialect: &Dialect| !plan.events || dialect.has_a_row_a_visit();
    let all: Vec<Dialect> = dialect::ALL.into_iter().filter(fit).collect();
    all[(at + (plan.seed % all.len() as u64) as usize) % all.len()]
}

fn check(plan: &Plan) -> Result<(), Error> {
    if !(1..=MAX_NODES).contains(&plan.nodes) {
        return Err(Error::Nodes(plan.nodes));
    }
    if plan.events && plan.dialect.is_some_and(|dialect| !dialect.has_a_row_a_visit()) {
        return Err(Error::Events);
    }
    match plan.clients {
        Some(clients) if !(plan.nodes..=MAX_CLIENTS).contains(&clients) => {
            Err(Error::Clients { clients, least: plan.nodes })
        }
        _ => Ok(()),
    }
}

/// Fills the register of a site; returns its number of clients and its lines
/// of `people.csv`.
fn fill(
    seed: u64,
    at: usize,
    sites: &[Site],
    region: &Region,
    towns: &[Town],
    register: &mut Register<'_>,
) -> (usize, String) {
    let mut draw = Draw::new(seed, 2000 + at as u64);
    // Of its own: a dialect has more spellings to draw than another.
    let mut spellings = Draw::new(seed, 3000 + at as u64);
    let (mut truth, mut clients, mut rows) = (String::new(), 0, Vec::new());
    for (nth, &member) in region.members[at].iter().enumerate() {
        let person = &region.people[member.person as usize];
        let key = key(sites, at, nth, person);
        let file = File::draw(person, member, sites[at].kind, &mut draw);
        let mut counts = false;
        for q in quarters(member) {
            visit::visit(person, &file, q, &mut draw, &mut rows);
            register.add(&key, person, &file, q, &rows, &mut spellings);
            if file.restricted.is_none() {
                let who = (sites[at].name.as_str(), member.person);
                let known = (person, file.hidden.is_some());
                counts |= truth::line(&mut truth, who, known, (q, &rows), towns);
            }
        }
        clients += usize::from(counts);
    }
    (clients, truth)
}

/// The `nth` client's key in the register of a site.
fn key(sites: &[Site], at: usize, nth: usize, person: &Person) -> String {
    if sites[at].kind.keeps_identity_codes() {
        return person.hetu.iter().copied().map(char::from).collect();
    }
    // Steps through all six-digit numbers, so that none comes twice and none
    // tells in which order the clients came.
    let letter = char::from(b'A' + (at % 26) as u8);
    format!("{letter}-{:06}", (nth * 377_911 + 4217) % 999_983 + 1)
}

fn quarters(member: Member) -> impl Iterator<Item = usize> {
    (0..PERIODS.len()).filter(move |q| member.quarters >> q & 1 == 1)
}

fn codes(site: &Site, towns: &[Town]) -> Vec<String> {
    let mut codes: Vec<_> = site.areas.iter().map(|&i| towns[usize::from(i)].code.to_owned()).collect();
    codes.sort_unstable();
    codes
}

fn write_people(path: &Path, truths: &[(&str, String)]) -> std::io::Result<()> {
    let mut to = fs::File::create(path)?;
    to.write_all(truth::HEADER.as_bytes())?;
    truths.iter().try_for_each(|(_, lines)| to.write_all(lines.as_bytes()))
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.to_owned();
    |source| Error::Write { path, source }
}
