//! What columns are called, and what their marks say, in the languages of registers.
//!
//! In lower case. Where it is not said otherwise, a word may stand within another one.

pub(super) const CLIENT: [&str; 7] = ["asiak", "hetu", "henkil", "client", "kund", "klient", "person"];
/// People and groups of people who are not the client, and what else is said of clients.
pub(super) const NO_CLIENT: [&str; 19] = [
    "vastuu",
    "työntek",
    "tyontek",
    "käsittel",
    "kasittel",
    "omahoit",
    "handlägg",
    "henkilöku",
    "henkilöst",
    "ryhm",
    "grupp",
    "group",
    "laji",
    "tyyp",
    "luok",
    "määr",
    "maar",
    "nimi",
    "maksu",
];
/// Which word of a client's column says that it is a number of theirs.
pub(super) const NUMBER: [&str; 8] = ["nro", "nr", "num", "id", "tunn", "hetu", "no", "key"];
/// The same within a word.
pub(super) const NUMBER_WITHIN: [&str; 6] = ["nro", "numer", "nummer", "number", "tunn", "hetu"];
/// What else has numbers of its own.
pub(super) const NUMBERED: [&str; 9] = ["käyn", "kayn", "tapaht", "kirja", "päätö", "paato", "besök", "visit", "event"];

pub(super) const BORN: [&str; 5] = ["synt", "synn", "föd", "fod", "birth"];
pub(super) const YEAR: [&str; 3] = ["vuo", "år", "year"];
/// What a word begins with.
pub(super) const AGED: [&str; 5] = ["ikä", "ika", "age", "ålder", "alder"];
pub(super) const GROUP: [&str; 3] = ["ryhm", "grupp", "group"];

pub(super) const DATE: [&str; 5] = ["pvm", "päiv", "paiv", "datum", "date"];
pub(super) const EVENT: [&str; 7] = ["käyn", "kayn", "kirja", "tapaht", "besök", "visit", "event"];
/// What a date tells of that is not the row's.
pub(super) const LIFE: [&str; 18] = [
    "alko", "alka", "alku", "päätty", "paatty", "loppu", "kuol", "aloit", "lopet", "siirt", "börja", "start", "slut",
    "avlid", "död", "end", "death", "clos",
];

pub(super) const SEX: [&str; 3] = ["sukup", "kön", "sex"];
pub(super) const AREA: [&str; 4] = ["kunta", "kommun", "municip", "area"];
pub(super) const HOME: [&str; 5] = ["koti", "hem", "asuin", "home", "bostad"];
pub(super) const NO_HOME: [&str; 5] = ["palvelu", "service", "synt", "synn", "föd"];
pub(super) const HOUSEHOLD: [&str; 5] = ["talous", "ruokakunta", "perhetyyppi", "hushåll", "household"];
pub(super) const LABOUR_STATUS: [&str; 6] =
    ["toiminta", "työmarkkina", "tyomarkkina", "verksamhet", "labour", "activity"];
/// In the order of `SEVERAL`.
pub(super) const CALLED: [&[&str]; 3] =
    [&["tarve", "tarpe", "need", "behov"], &["tekij", "faktor", "factor"], &["tehtäv", "tehtav", "uppgift", "task"]];
pub(super) const PRIMARY: [&str; 5] = ["ensisij", "tärkein", "primary", "primär", "viktigast"];

pub(super) const HIDE: [&str; 7] =
    ["turvakiel", "spärr", "sparr", "non-disclosure", "skyddad", "sekretess", "protected"];
pub(super) const RESTRICTED: [&str; 7] =
    ["käsittelykiel", "kasittelykiel", "rajoitu", "rajoitet", "restrict", "begräns", "begrans"];
pub(super) const FORBIDDEN: [&str; 1] = ["kielto"];
pub(super) const ADVERTS: [&str; 4] = ["markkin", "mainos", "market", "reklam"];

/// Marks that say yes, and so tell of nobody what the column's name does not.
pub(super) const YES: [&str; 16] =
    ["k", "kyllä", "kylla", "x", "1", "true", "tosi", "ja", "j", "yes", "y", "on", "kyllä.", "t", "sant", "+"];
/// Marks that say no.
pub(super) const NO: [&str; 21] = [
    "e", "ei", "n", "no", "nej", "ej", "0", "false", "epätosi", "falskt", "f", "-", "–", "—", ".", "ei.", "none",
    "null", "ingen", "inget", "inga",
];
/// What longer ones begin with.
pub(super) const NO_TO: [&str; 7] = ["ei ", "ej ", "no ", "not ", "ingen ", "inget ", "inga "];

/// True when a word of the name begins with one of these, whatever the case.
pub(super) fn has_word_from(name: &str, any: &[&str]) -> bool {
    let mut spaced = String::new();
    let mut last = ' ';
    for char in name.chars() {
        if last.is_lowercase() && char.is_uppercase() {
            spaced.push(' ');
        }
        spaced.extend(char.to_lowercase());
        last = char;
    }
    spaced.split(|c: char| !c.is_alphanumeric()).any(|word| any.iter().any(|start| word.starts_with(start)))
}

/// The name without a number at its end, and whether it has one.
pub(super) fn parts(name: &str) -> (String, bool) {
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let folded = stem.trim_end_matches([' ', '_', '-', '.']).to_lowercase();
    (folded, stem.len() < name.len())
}
