//! What is pointed out about a setting, in three languages.
//!
//! A note says that a setting is weaker than the shipped one, or unusual, and what
//! follows. It forbids nothing: limits stand in `koonti_disclosure::policy`.

use super::{Lang, one_in};
use koonti_disclosure::request::{MOST_CELLS, MOST_CELLS_PER_NODE};

// The shipped config/policy.toml, whose values docs/privacy.md gives reasons for; a test compares.
pub(super) const USUAL_K: u32 = 5;
pub(super) const USUAL_NANO_RHO: u64 = 250_000_000;
pub(super) const USUAL_ATTO_DELTA: u64 = 10_000_000_000_000;
pub(super) const USUAL_GATE_ATTO_DELTA: u64 = 100_000_000_000;
pub(super) const USUAL_NODES: u32 = 2;
pub(super) const USUAL_CHANCE: (u64, u64) = (1, 100);

/// Why a setting is worth a second look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Note {
    SmallCount,
    NobodyAsked,
    LargeAllowance,
    LikelyFailure,
    NoCap,
    CapLimitsNobody,
    LikelyGate,
    OneOrganisation,
    LikelySmall,
    NothingAnswered,
    NoSuchDimension,
    OnlyRegional,
}

/// The note as people read it.
pub(super) fn text(note: Note, lang: Lang) -> String {
    let mark = match lang {
        Lang::Fi => "Huomautus",
        Lang::Sv => "Anmärkning",
        Lang::En => "Note",
    };
    let text = match note {
        Note::SmallCount => small_count(lang),
        Note::NobodyAsked => nobody_asked(lang),
        Note::LargeAllowance => large_allowance(lang),
        Note::LikelyFailure => likely_failure(lang),
        Note::NoCap => no_cap(lang),
        Note::CapLimitsNobody => cap_limits_nobody(lang),
        Note::LikelyGate => likely_gate(lang),
        Note::OneOrganisation => one_organisation(lang),
        Note::LikelySmall => likely_small(lang),
        Note::NothingAnswered => nothing_answered(lang),
        Note::NoSuchDimension => no_such_dimension(lang),
        Note::OnlyRegional => only_regional(lang),
    };
    format!("{mark}: {text}")
}

fn small_count(lang: Lang) -> String {
    let usual = USUAL_K;
    match lang {
        Lang::Fi => format!(
            "tavallinen pienin sallittu määrä on {usual}. Sitä pienemmällä voidaan näyttää lukuja, joiden takana on \
             vain hyvin vähän asiakkaita."
        ),
        Lang::Sv => format!(
            "det vanliga minsta tillåtna antalet är {usual}. Med ett lägre antal kan siffror som gäller mycket få \
             klienter visas."
        ),
        Lang::En => format!(
            "the usual smallest count is {usual}. With a lower one, figures that stand for very few clients may be \
             shown."
        ),
    }
}

fn nobody_asked(lang: Lang) -> String {
    match lang {
        Lang::Fi => {
            "tavallisesti ihminen päättää jokaisesta kysymyksestä (\"each\"). Nyt kysymyksiä rajoittavat vain nämä \
             säännöt."
        }
        Lang::Sv => {
            "vanligen avgör en människa varje fråga (\"each\"). Nu begränsas frågorna endast av de här reglerna."
        }
        Lang::En => {
            "usually a person decides on each question (\"each\"). Here nothing but these rules holds a question back."
        }
    }
    .to_owned()
}

fn large_allowance(lang: Lang) -> String {
    let usual = lang.number(USUAL_NANO_RHO);
    match lang {
        Lang::Fi => format!("suurempi kuin tavallinen {usual}: jokaisesta asiakkaasta voi saada enemmän tietoa."),
        Lang::Sv => format!("större än det vanliga, {usual}: man kan få veta mer om varje klient."),
        Lang::En => format!("larger than the usual {usual}: more can be learnt about each client."),
    }
}

fn likely_failure(lang: Lang) -> String {
    let usual = lang.number(one_in(USUAL_ATTO_DELTA));
    match lang {
        Lang::Fi => format!("suurempi kuin tavallinen 1/{usual}: suoja on epävarmempi."),
        Lang::Sv => format!("större än den vanliga, 1 på {usual}: skyddet är osäkrare."),
        Lang::En => format!("larger than the usual 1 in {usual}: the protection is less certain."),
    }
}

fn no_cap(lang: Lang) -> String {
    match lang {
        Lang::Fi => "myöhemmin kysyville ei varata mitään.",
        Lang::Sv => "ingenting sparas för dem som frågar senare.",
        Lang::En => "nothing is kept for others who ask later.",
    }
    .to_owned()
}

fn cap_limits_nobody(lang: Lang) -> String {
    match lang {
        Lang::Fi => "vähintään koko tietosuojavaran suuruinen, joten se ei rajoita ketään.",
        Lang::Sv => "minst lika mycket som hela dataskyddsutrymmet, så ingen begränsas.",
        Lang::En => "no less than the whole allowance, so it holds nobody back.",
    }
    .to_owned()
}

fn likely_gate(lang: Lang) -> String {
    let usual = lang.number(one_in(USUAL_GATE_ATTO_DELTA));
    match lang {
        Lang::Fi => format!(
            "suurempi kuin tavallinen 1/{usual}: lukuja näytetään hieman pienemmistä alkaen, ja riski niiden takana \
             oleville asiakkaille kasvaa."
        ),
        Lang::Sv => format!(
            "större än den vanliga, 1 på {usual}: siffror visas från något lägre värden, och risken för de klienter \
             som siffrorna gäller ökar."
        ),
        Lang::En => format!(
            "larger than the usual 1 in {usual}: figures are shown from a little lower on, at a higher risk for the \
             clients behind them."
        ),
    }
}

fn one_organisation(lang: Lang) -> String {
    let usual = USUAL_NODES;
    match lang {
        Lang::Fi => format!(
            "tavallisesti {usual}. Nyt henkilö, joka on kahden organisaation asiakas, on näissä säännöissä kuin kaksi \
             eri henkilöä."
        ),
        Lang::Sv => format!(
            "vanligen {usual}. Nu behandlar reglerna en person som är klient hos två organisationer som två olika \
             personer."
        ),
        Lang::En => format!(
            "usually {usual}. Here a person who is a client of two organisations is treated as if they were two \
             persons."
        ),
    }
}

fn likely_small(lang: Lang) -> String {
    let (one, of) = USUAL_CHANCE;
    match lang {
        Lang::Fi => format!("suurempi kuin tavallinen {one}/{of}: pieniä lukuja näytetään useammin."),
        Lang::Sv => format!("större än den vanliga, {one} på {of}: små siffror visas oftare."),
        Lang::En => format!("larger than the usual {one} in {of}: small figures are shown more often."),
    }
}

fn nothing_answered(lang: Lang) -> String {
    match lang {
        Lang::Fi => "tämän vuoksi mihinkään kysymykseen ei vastata.",
        Lang::Sv => "på grund av detta besvaras ingen fråga.",
        Lang::En => "because of this, no question is ever answered.",
    }
    .to_owned()
}

fn no_such_dimension(lang: Lang) -> String {
    match lang {
        Lang::Fi => "lainausmerkeissä olevaa ei ole koodistossa, joten se ei salli mitään. Tarkistakaa kirjoitusasu.",
        Lang::Sv => {
            "det som står inom citattecken finns inte i kodboken och tillåter ingenting. Kontrollera stavningen."
        }
        Lang::En => "what stands in quotation marks is not in the codebook, so it allows nothing. Check the spelling.",
    }
    .to_owned()
}

fn only_regional(lang: Lang) -> String {
    let own = lang.number(MOST_CELLS_PER_NODE as u64);
    let regional = lang.number(MOST_CELLS as u64);
    match lang {
        Lang::Fi => format!(
            "organisaatiokohtaisessa taulukossa on aina enintään {own} ja alueellisessa enintään {regional} lukua."
        ),
        Lang::Sv => {
            format!(
                "en tabell per organisation har alltid högst {own} siffror och en regional tabell högst {regional}."
            )
        }
        Lang::En => {
            format!(
                "a table per organisation never has more than {own} figures, a regional one never more than {regional}."
            )
        }
    }
}
