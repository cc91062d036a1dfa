//! Who keeps a register: the nodes of a synthetic region and the
//! municipalities that each serves.
//!
//! Promises: as many nodes as asked for, names of `[a-z0-9-]{1,32}` without
//! repeats, and every eastern municipality served by exactly one node that is
//! not an employment area or an NGO. Draws nothing at random.

use koonti_disclosure::coverage::Coverage;

/// A municipality of Eastern Finland in 2026.
pub(super) struct Town {
    pub(super) code: &'static str,
    pub(super) name: &'static str,
    county: &'static str,
    employment: &'static str,
    pub(super) population: u32,
    lon: f64,
    lat: f64,
}

/// What kind of organisation a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    County,
    Municipality,
    Employment,
    Ngo,
}

impl Kind {
    /// What the register covers of the organisation, as its mapping states it.
    pub(super) fn coverage(self) -> Coverage {
        match self {
            Kind::County | Kind::Municipality => Coverage::All,
            Kind::Employment => Coverage::Some,
            Kind::Ngo => Coverage::Pilot,
        }
    }

    /// Whether the clients are written with personal identity codes.
    pub(super) fn keeps_identity_codes(self) -> bool {
        matches!(self, Kind::County | Kind::Municipality)
    }
}

/// One node of the region. Towns are positions in the list of [`towns`].
pub(super) struct Site {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The towns it serves, the most populous first.
    pub(super) areas: Vec<u8>,
    /// Clients in one quarter, unscaled.
    pub(super) per_quarter: f64,
}

/// Largest number of nodes, as in the regional sum.
pub(super) const MAX_NODES: usize = 500;

const EASTERN: &str = include_str!("eastern.csv");

const COUNTIES: [(&str, &str); 6] = [
    ("12", "etela-savo"),
    ("13", "pohjois-savo"),
    ("14", "pohjois-karjala"),
    ("20", "kainuu"),
    ("11", "etela-karjala"),
    ("10", "kymenlaakso"),
];

/// Employment areas: name, code.
const EMPLOYMENT: [(&str, &str); 3] =
    [("joensuu-tyollisyys", "29"), ("kuopio-tyollisyys", "17"), ("mikkeli-tyollisyys", "23")];

/// NGOs: name, employment area in which they work, clients in a quarter.
const NGOS: [(&str, &str, f64); 3] =
    [("ngo-toivo", "17", 240.0), ("ngo-silta", "03", 150.0), ("ngo-majakka", "10", 80.0)];

/// Clients of social work among residents, in one quarter: 4.5 %, and those who
/// count nowhere (under 18, or with restricted processing).
const CLIENT_SHARE: f64 = 0.0457;
/// Clients of an employment area among residents, in one quarter.
const EMPLOYMENT_SHARE: f64 = 0.02;

/// Reads the embedded list of towns, sorted by code.
pub(super) fn towns() -> Vec<Town> {
    let parse = |line: &'static str| {
        let mut fields = line.split(',');
        let mut next = || fields.next().unwrap_or_default();
        let (code, name, county) = (next(), next(), next());
        let (_, employment, _) = (next(), next(), next());
        Town {
            code,
            name,
            county,
            employment,
            // The file is part of the program; a test reads every number.
            population: next().parse().unwrap_or_default(),
            lon: next().parse().unwrap_or_default(),
            lat: next().parse().unwrap_or_default(),
        }
    };
    EASTERN.lines().skip(1).map(parse).collect()
}

/// Lays out `nodes` nodes (1 to [`MAX_NODES`]) over the towns. Organisers of
/// social work come first, then employment areas, then NGOs.
pub(super) fn sites(nodes: usize, towns: &[Town]) -> Vec<Site> {
    match nodes {
        6 => counties(towns),
        12 => counties(towns)
            .into_iter()
            .chain(EMPLOYMENT.map(|(name, code)| employment(name, code, towns)))
            .chain(NGOS.map(|(name, code, size)| ngo(name, by(towns, |t| t.employment == code), size)))
            .collect(),
        _ => seeded(nodes, towns),
    }
}

/// Town positions that pass the test, the most populous first.
pub(super) fn by(towns: &[Town], keep: impl Fn(&Town) -> bool) -> Vec<u8> {
    let mut found: Vec<u8> = (0..towns.len()).filter(|&i| keep(&towns[i])).map(|i| i as u8).collect();
    found.sort_by_key(|&i| std::cmp::Reverse(towns[usize::from(i)].population));
    found
}

/// The other towns of the county of `town`, the most populous first.
pub(super) fn county_mates(town: u8, towns: &[Town]) -> Vec<u8> {
    let home = &towns[usize::from(town)];
    by(towns, |t| t.county == home.county && t.code != home.code)
}

/// Squared distance in degrees of latitude, near enough to compare.
pub(super) fn distance(a: &Town, b: &Town) -> f64 {
    const COS_LATITUDE: f64 = 0.4617; // at 62.5 degrees north
    let (x, y) = ((a.lon - b.lon) * COS_LATITUDE, a.lat - b.lat);
    x * x + y * y
}

fn organiser(name: String, kind: Kind, areas: Vec<u8>, towns: &[Town]) -> Site {
    let per_quarter = residents(&areas, towns) * CLIENT_SHARE;
    Site { name, kind, areas, per_quarter }
}

fn employment(name: &str, code: &str, towns: &[Town]) -> Site {
    let areas = by(towns, |t| t.employment == code);
    let per_quarter = residents(&areas, towns) * EMPLOYMENT_SHARE;
    Site { name: name.to_owned(), kind: Kind::Employment, areas, per_quarter }
}

fn ngo(name: &str, areas: Vec<u8>, per_quarter: f64) -> Site {
    Site { name: name.to_owned(), kind: Kind::Ngo, areas, per_quarter }
}

fn counties(towns: &[Town]) -> Vec<Site> {
    COUNTIES
        .iter()
        .map(|&(code, name)| {
            let areas = by(towns, |t| t.county == code);
            organiser(name.to_owned(), Kind::County, areas, towns)
        })
        .collect()
}

/// The most populous towns seed a node each, the rest join the nearest seed,
/// in their own county where it has one; beyond one node per town, NGOs.
fn seeded(nodes: usize, towns: &[Town]) -> Vec<Site> {
    let order = by(towns, |_| true);
    let seeds = &order[..nodes.min(towns.len())];
    let mut areas: Vec<Vec<u8>> = vec![Vec::new(); seeds.len()];
    for &town in &order {
        areas[nearest_seed(town, seeds, towns)].push(town);
    }
    let mut sites: Vec<Site> = areas
        .into_iter()
        .map(|areas| organiser(slug(towns[usize::from(areas[0])].name), Kind::Municipality, areas, towns))
        .collect();
    for extra in 0..nodes.saturating_sub(towns.len()) {
        let host = order[extra % order.len()];
        let per_quarter = 80.0 + ((extra * 37) % 160) as f64;
        sites.push(ngo(&format!("ngo-{:02}", extra + 1), vec![host], per_quarter));
    }
    sites
}

fn nearest_seed(town: u8, seeds: &[u8], towns: &[Town]) -> usize {
    let home = &towns[usize::from(town)];
    let far = |&seed: &u8| {
        let seed = &towns[usize::from(seed)];
        (seed.county != home.county, distance(seed, home))
    };
    let nearer = |a: &(bool, f64), b: &(bool, f64)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
    let best = seeds.iter().map(far).enumerate().min_by(|a, b| nearer(&a.1, &b.1));
    best.map_or(0, |(position, _)| position)
}

fn residents(areas: &[u8], towns: &[Town]) -> f64 {
    areas.iter().map(|&i| f64::from(towns[usize::from(i)].population)).sum()
}

fn slug(name: &str) -> String {
    name.chars()
        .map(|c| match c.to_lowercase().next() {
            Some('ä' | 'å') => 'a',
            Some('ö') => 'o',
            Some(c) if c.is_ascii_alphanumeric() => c,
            _ => '-',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_layout_serves_every_town() {
        let towns = towns();
        assert_eq!(towns.len(), 66);
        assert!(towns.iter().all(|t| t.population > 1000 && t.lon > 26.0 && t.lat > 60.0));
        assert_eq!(towns.iter().map(|t| t.population).sum::<u32>(), 896_042);
        for nodes in [1, 2, 5, 6, 7, 12, 20, 65, 66, 67, 70, 200, MAX_NODES] {
            let sites = sites(nodes, &towns);
            assert_eq!(sites.len(), nodes);
            let mut served = vec![0; towns.len()];
            let organisers = sites.iter().filter(|s| s.kind.keeps_identity_codes());
            organisers.flat_map(|s| &s.areas).for_each(|&i| served[usize::from(i)] += 1);
            assert!(served.iter().all(|&n| n == 1), "{nodes} nodes: {served:?}");
            let mut names: Vec<_> = sites.iter().map(|s| s.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), nodes);
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(names.iter().all(|n| (1..=32).contains(&n.len()) && n.chars().all(plain)));
        }
    }

    #[test]
    fn towns_join_a_seed_of_their_own_county() {
        let towns = towns();
        for site in sites(20, &towns) {
            let seed = &towns[usize::from(site.areas[0])];
            assert!(site.areas.iter().all(|&i| towns[usize::from(i)].county == seed.county));
        }
    }
}
