//! Which nodes know which people, and in which quarters.
//!
//! Promises: every quarter has the same expected size at a node, 73 % of its
//! clients stay to the next and some of those who left return; a person is
//! known to two nodes at most.

use super::draw::Draw;
use super::people::{Census, Person, quarters};
use super::topology::{self, Kind, Site, Town};

/// A person as one node's client: the person, and the quarters as bits.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) person: u32,
    pub(super) quarters: u8,
}

/// All people, and each site's clients in the order of persons.
pub(super) struct Region {
    pub(super) people: Vec<Person>,
    pub(super) members: Vec<Vec<Member>>,
}

/// Clients whom a node knows at some time, for each one of a single quarter:
/// follows from `people::quarters`.
const EVER_PER_QUARTER: f64 = 1.9718;
/// Most clients of an NGO.
const MOST_AT_NGO: f64 = 500.0;
/// How many neighbours an organiser has people in common with.
const NEIGHBOURS: usize = 4;
/// In a thousand: clients of employment areas and NGOs who live outside their
/// areas, elsewhere in the county.
const VISITORS: u32 = 60;

/// Share of a node's clients whom it has in common with an organiser that
/// knew them first. Organisers take 1 % and give 1 % on average.
fn taken(kind: Kind) -> f64 {
    match kind {
        Kind::County | Kind::Municipality => 0.01,
        Kind::Employment => 0.3,
        Kind::Ngo => 0.5,
    }
}

/// Draws the people of the sites; about `persons` of them, if given (sites of
/// all kinds shrink alike, but NGOs do not grow beyond [`MOST_AT_NGO`]).
pub(super) fn populate(seed: u64, persons: Option<usize>, towns: &[Town], sites: &[Site]) -> Region {
    let sizes = sizes(persons, sites);
    let mut made = Making {
        towns,
        sites,
        census: Census::new(towns),
        people: Vec::new(),
        members: Vec::with_capacity(sites.len()),
    };
    let mut missing = vec![0; sites.len()];
    for (at, (site, &size)) in sites.iter().zip(&sizes).enumerate() {
        let mut draw = Draw::new(seed, at as u64);
        let mut common = (size as f64 * taken(site.kind)) as usize;
        made.members.push(Vec::with_capacity(size));
        if site.kind.keeps_identity_codes() {
            // Taken below, when all the neighbours have clients.
            missing[at] = common;
        } else {
            common = made.take_residents(at, common, &mut draw);
        }
        made.add(at, size - common, &mut draw);
    }
    let own: Vec<usize> = made.members.iter().map(Vec::len).collect();
    for (at, &count) in missing.iter().enumerate() {
        made.take_from_neighbours(at, count, &own, &mut Draw::new(seed, 1000 + at as u64));
    }
    made.members.iter_mut().for_each(|m| m.sort_unstable_by_key(|m| m.person));
    Region { people: made.people, members: made.members }
}

/// Clients whom each site knows at some time.
fn sizes(persons: Option<usize>, sites: &[Site]) -> Vec<usize> {
    let ever = |s: &Site| s.per_quarter * EVER_PER_QUARTER;
    let by_default: f64 = sites.iter().map(|s| ever(s) * (1.0 - taken(s.kind))).sum();
    let scale = persons.map_or(1.0, |n| n as f64 / by_default);
    let most = |s: &Site| if s.kind == Kind::Ngo { MOST_AT_NGO } else { f64::MAX };
    sites.iter().map(|s| (ever(s) * scale).round().clamp(1.0, most(s)) as usize).collect()
}

/// A region in the making.
struct Making<'a> {
    towns: &'a [Town],
    sites: &'a [Site],
    census: Census,
    people: Vec<Person>,
    members: Vec<Vec<Member>>,
}

impl Making<'_> {
    /// Gives a site `count` clients whom no other site knows yet.
    fn add(&mut self, at: usize, count: usize, draw: &mut Draw) {
        let site = &self.sites[at];
        let around = self.census.mates[usize::from(site.areas[0])].clone();
        let (inside, outside) = (self.populations(&site.areas), self.populations(&around));
        let organiser = site.kind.keeps_identity_codes();
        let visitors = if organiser || around.is_empty() { 0 } else { VISITORS };
        for _ in 0..count {
            let home = if draw.chance(visitors) {
                around[draw.weighted(&outside)]
            } else {
                site.areas[draw.weighted(&inside)]
            };
            let number = self.people.len() as u32;
            self.people.push(self.census.person(site.kind, home, draw));
            self.join(at, number, draw);
        }
    }

    /// Makes up to `count` residents of a site's areas, clients of an
    /// organiser, its clients, too; returns how many there were.
    fn take_residents(&mut self, at: usize, count: usize, draw: &mut Draw) -> usize {
        let site = &self.sites[at];
        let oldest = if site.kind == Kind::Employment { 1961 } else { 1900 };
        let fits = |p: &Person| !p.shared && site.areas.contains(&p.home) && (oldest..=2007).contains(&p.birth_year);
        let organisers = (0..at).filter(|&i| self.sites[i].kind.keeps_identity_codes());
        let known = organisers.flat_map(|i| &self.members[i]).map(|m| m.person);
        let mut found: Vec<u32> = known.filter(|&p| fits(&self.people[p as usize])).collect();
        let count = count.min(found.len());
        for i in 0..count {
            let j = i + draw.index(found.len() - i);
            found.swap(i, j);
            self.share(at, found[i], draw);
        }
        count
    }

    /// Makes about `count` clients of the organisers around a site its
    /// clients, too: people who move there at some time. `own` says how many
    /// of each site's members came before this step.
    fn take_from_neighbours(&mut self, at: usize, count: usize, own: &[usize], draw: &mut Draw) {
        let (towns, sites) = (self.towns, self.sites);
        let away = |i: &usize| {
            let seat = |i: usize| &towns[usize::from(sites[i].areas[0])];
            topology::distance(seat(*i), seat(at))
        };
        let others = (0..sites.len()).filter(|&i| i != at && sites[i].kind.keeps_identity_codes());
        let mut near: Vec<usize> = others.collect();
        near.sort_by(|a, b| away(a).total_cmp(&away(b)));
        near.truncate(NEIGHBOURS);
        if near.is_empty() {
            return self.add(at, count, draw);
        }
        let weights: Vec<u32> = near.iter().map(|&i| own[i] as u32).collect();
        for _ in 0..count {
            let from = near[draw.weighted(&weights)];
            let person = self.members[from][draw.index(own[from])].person;
            // A person in common already is passed over: two nodes at most.
            if !self.people[person as usize].shared {
                let areas = &sites[at].areas;
                self.people[person as usize].relocate(areas[draw.index(areas.len())], draw);
                self.share(at, person, draw);
            }
        }
    }

    fn share(&mut self, at: usize, person: u32, draw: &mut Draw) {
        self.people[person as usize].shared = true;
        self.join(at, person, draw);
    }

    fn join(&mut self, at: usize, person: u32, draw: &mut Draw) {
        self.members[at].push(Member { person, quarters: quarters(draw) });
    }

    fn populations(&self, areas: &[u8]) -> Vec<u32> {
        areas.iter().map(|&i| self.towns[usize::from(i)].population).collect()
    }
}
