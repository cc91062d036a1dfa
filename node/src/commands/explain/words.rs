//! What each rule means, in three languages beside each other.
//!
//! Sentences only: which number goes where, and what is pointed out, is decided by
//! the caller. The words are those of `docs/audit-summary.*.md`; people who approve
//! rules read both.

use super::{Approved, Lang};
use koonti_disclosure::Codebook;
use koonti_disclosure::policy::Approval;
use koonti_disclosure::request::{Measure, Purpose};

pub(super) fn title(lang: Lang, file: &str) -> String {
    match lang {
        Lang::Fi => format!("{file}: mitä nämä säännöt tarkoittavat"),
        Lang::Sv => format!("{file}: vad de här reglerna betyder"),
        Lang::En => format!("{file}: what these rules mean"),
    }
}

pub(super) fn smallest_count(lang: Lang, k: u32) -> String {
    let k = lang.number(k);
    match lang {
        Lang::Fi => format!(
            "Tämän organisaation lukua, jonka takana on alle {k} asiakasta, ei koskaan näytetä. Satunnaisen kohinan \
             vuoksi salataan usein myös jonkin verran suurempia lukuja. Lukija ei näe, onko salattu luku nolla vai pieni."
        ),
        Lang::Sv => format!(
            "En siffra från den här organisationen som gäller färre än {k} klienter visas aldrig. På grund av det \
             slumpmässiga bruset hålls ofta också något större siffror hemliga. Läsaren ser inte om en siffra som \
             hålls hemlig är noll eller liten."
        ),
        Lang::En => format!(
            "A figure of this organisation that stands for fewer than {k} clients is never shown. Because of the \
             random noise, somewhat larger figures are often withheld, too. Readers cannot tell whether a withheld \
             figure is zero or small."
        ),
    }
}

pub(super) fn approval(lang: Lang, approval: Approval) -> String {
    match (approval, lang) {
        (Approval::Each, Lang::Fi) => {
            "Yhteenkään kysymykseen ei vastata, ennen kuin joku tässä organisaatiossa on hyväksynyt sen. Hän näkee \
             kysymyksen mutta ei lukuja."
        }
        (Approval::Each, Lang::Sv) => {
            "Ingen fråga besvaras innan en människa i den här organisationen har godkänt den. Den som godkänner ser \
             frågan men inga siffror."
        }
        (Approval::Each, Lang::En) => {
            "No question is answered before a person in this organisation has said yes to it. That person sees the \
             question, never a figure."
        }
        (Approval::Auto, Lang::Fi) => {
            "Jokaiseen kysymykseen, jonka nämä säännöt sallivat, vastataan keneltäkään kysymättä."
        }
        (Approval::Auto, Lang::Sv) => "Varje fråga som de här reglerna tillåter besvaras utan att någon tillfrågas.",
        (Approval::Auto, Lang::En) => "Every question that these rules allow is answered, and nobody is asked first.",
    }
    .to_owned()
}

pub(super) fn allowance(lang: Lang, nano_rho: u64, tables: u64, guesses: u64) -> String {
    let (units, enough) = (lang.number(nano_rho), enough(lang, tables));
    match lang {
        Lang::Fi => format!(
            "Tämä on vuosineljänneksen tietosuojavara: kaikki taulukot, jotka siitä koskaan tehdään, saavat yhteensä \
             antaa yhdestä asiakkaasta tietoa enintään {units} yksikön verran. {enough} (asiakkaat tuen tarpeen ja \
             ikäryhmän mukaan). Käytettyä varaa ei koskaan täytetä uudelleen. Mitä yksiköt tarkoittavat: kun kaikki \
             on käytetty, joku, joka tietää kaiken muun ja haluaa selvittää, oliko tietty henkilö silloin täällä \
             asiakkaana, arvaa oikein noin {guesses} kertaa sadasta. Pelkällä sattumalla niin kävisi 50 kertaa. Jos \
             henkilö on usean organisaation asiakas, hänen suojansa on heikompi, koska eri organisaatioiden antama \
             tieto kertyy."
        ),
        Lang::Sv => format!(
            "Det här är kvartalets dataskyddsutrymme: alla tabeller som någonsin görs av det får tillsammans ge högst \
             {units} enheter kunskap om en enskild klient. {enough} (klienter efter stödbehov och åldersgrupp). \
             Förbrukat utrymme fylls aldrig på. Vad enheterna betyder: när allt är förbrukat gissar den som vet allt \
             annat, och vill ta reda på om en viss person var klient här då, rätt ungefär {guesses} gånger av hundra. \
             Av ren slump skulle det bli 50. Den som är klient hos flera organisationer är sämre skyddad, eftersom \
             kunskapen från dem läggs ihop."
        ),
        Lang::En => format!(
            "This is the allowance of a quarter: all tables ever made of it may together reveal at most {units} units \
             about any one client. {enough} (clients by need and age group). What is spent is never refilled. What \
             the units mean: when all are spent, somebody who knows everything else, and wants to know whether one \
             certain person was a client here then, guesses right about {guesses} times in a hundred. By pure chance \
             it would be 50. Whoever is a client of several organisations is protected less, because what these \
             reveal adds up."
        ),
    }
}

pub(super) fn failure(lang: Lang, one_in: u64) -> String {
    let one_in = lang.number(one_in);
    match lang {
        Lang::Fi => format!(
            "Todennäköisyys, että vuosineljänneksen taulukot paljastavat tietystä asiakkaasta enemmän kuin \
             tietosuojavara sallii, on enintään 1/{one_in}."
        ),
        Lang::Sv => format!(
            "Risken att ett kvartals tabeller avslöjar mer om en viss klient än dataskyddsutrymmet tillåter är högst \
             1 på {one_in}."
        ),
        Lang::En => format!(
            "The chance that the tables of a quarter reveal more about a certain client than the allowance says is at \
             most 1 in {one_in}."
        ),
    }
}

/// `cap` is what one person may spend, and how many typical tables that is.
pub(super) fn requester(lang: Lang, cap: Option<(u64, u64)>) -> String {
    let cap = cap.map(|(nano_rho, tables)| (lang.number(nano_rho), enough(lang, tables)));
    match (cap, lang) {
        (None, Lang::Fi) => "Kysyjää kohti ei ole ylärajaa: yksi henkilö voi käyttää koko tietosuojavaran.".to_owned(),
        (None, Lang::Sv) => {
            "Den som frågar har ingen egen övre gräns: en enda person kan förbruka hela dataskyddsutrymmet.".to_owned()
        }
        (None, Lang::En) => {
            "There is no cap for one person who asks: one person may use up the whole allowance.".to_owned()
        }
        (Some((units, enough)), Lang::Fi) => {
            format!("Yksi kysyjä saa käyttää tietosuojavarasta enintään {units} yksikköä. {enough}.")
        }
        (Some((units, enough)), Lang::Sv) => {
            format!("En enskild person som frågar får förbruka högst {units} enheter av dataskyddsutrymmet. {enough}.")
        }
        (Some((units, enough)), Lang::En) => {
            format!("One person who asks may use at most {units} units of the allowance. {enough}.")
        }
    }
}

/// `tables` are those after which the chance of the whole quarter is used up.
pub(super) fn gate(lang: Lang, one_in: u64, tables: u64) -> String {
    let (one_in, count) = (lang.number(one_in), lang.number(tables));
    match lang {
        Lang::Fi => format!(
            "Todennäköisyys, että yksi organisaatiokohtainen taulukko paljastaa tietyn asiakkaan sillä, mitkä luvut se \
             näyttää ja mitkä se salaa, on enintään 1/{one_in}. Todennäköisyydet lasketaan yhteen: {count} tällaisen \
             taulukon jälkeen koko vuosineljänneksen raja on täynnä, eikä siitä enää tehdä sellaisia."
        ),
        Lang::Sv => {
            let tables = if tables == 1 { "sådan tabell" } else { "sådana tabeller" };
            format!(
                "Risken att en tabell per organisation röjer en viss klient genom vilka siffror den visar och vilka \
                 den håller hemliga är högst 1 på {one_in}. Riskerna läggs ihop: efter {count} {tables} är gränsen \
                 för hela kvartalet nådd, och inga fler görs av det kvartalet."
            )
        }
        Lang::En => {
            let tables = if tables == 1 { "such table" } else { "such tables" };
            format!(
                "The chance that one table per organisation gives a certain client away by which figures it shows and \
                 which it withholds is at most 1 in {one_in}. These chances add up: after {count} {tables} the limit \
                 of the whole quarter is reached, and no more are made of that quarter."
            )
        }
    }
}

pub(super) fn nodes_per_person(lang: Lang, k: u32, nodes: u32) -> String {
    let (k, count) = (lang.number(k), lang.number(nodes));
    match lang {
        Lang::Fi => format!(
            "Alueellisissa taulukoissa henkilö lasketaan kerran jokaisessa organisaatiossa, jonka asiakas hän on. \
             Lukuja näytetään vasta niin suurista alkaen, että alle {k} henkilön luku jää salatuksi, vaikka jokainen \
             heistä olisi {count} organisaation asiakas."
        ),
        Lang::Sv => {
            let organisations = if nodes == 1 { "organisation" } else { "organisationer" };
            format!(
                "I regionala tabeller räknas en person en gång i varje organisation där personen är klient. Siffror \
                 visas först från så höga värden att en siffra om färre än {k} personer hålls hemlig även om var och en \
                 av dem är klient hos {count} {organisations}."
            )
        }
        Lang::En => {
            let organisations = if nodes == 1 { "organisation" } else { "organisations" };
            format!(
                "In regional tables a person counts once in each organisation whose client they are. Figures are shown \
                 only from so high on that a figure of fewer than {k} persons is withheld even if each of them is a \
                 client of {count} {organisations}."
            )
        }
    }
}

pub(super) fn chance_below_k(lang: Lang, k: u32, (chance, of): (u64, u64)) -> String {
    let (k, chance, of) = (lang.number(k), lang.number(chance), lang.number(of));
    match lang {
        Lang::Fi => format!(
            "Todennäköisyys, että alueellinen taulukko silti näyttää luvun, jonka takana on alle {k} henkilöä, on \
             enintään {chance}/{of}. Jos toisen mukana olevan organisaation tai alueen säännöt ovat tiukemmat, \
             noudatetaan niitä."
        ),
        Lang::Sv => format!(
            "Risken att en regional tabell ändå visar en siffra som gäller färre än {k} personer är högst {chance} på \
             {of}. Om en annan deltagande organisation eller regionen har strängare regler gäller de i stället."
        ),
        Lang::En => format!(
            "The chance that a regional table shows a figure of fewer than {k} persons all the same is at most \
             {chance} in {of}. If another organisation that takes part, or the region, has stricter rules, those hold."
        ),
    }
}

pub(super) fn measures(lang: Lang, measures: &[Measure]) -> String {
    let names = measures.iter().map(|measure| match (measure, lang) {
        (Measure::Clients, Lang::Fi) => "asiakkaiden määrää",
        (Measure::Clients, Lang::Sv) => "antalet klienter",
        (Measure::Clients, Lang::En) => "the number of clients",
        (Measure::Score, Lang::Fi) => "asteikolla annetun arvion keskiarvoa",
        (Measure::Score, Lang::Sv) => "medelvärdet av en skattning på en skala",
        (Measure::Score, Lang::En) => "the mean of a score given on a scale",
        (Measure::Events, Lang::Fi) => "tapahtumien (esimerkiksi tapaamisten) määrää",
        (Measure::Events, Lang::Sv) => "antalet händelser (till exempel möten)",
        (Measure::Events, Lang::En) => "the number of events (such as meetings)",
    });
    let names = list(lang, names.map(str::to_owned));
    match lang {
        Lang::Fi => format!("Kysyä saa vain näitä: {names}. Muihin kysymyksiin ei vastata."),
        Lang::Sv => format!("Endast detta får efterfrågas: {names}. Andra frågor besvaras inte."),
        Lang::En => format!("Only this may be asked for: {names}. Other questions are refused."),
    }
}

pub(super) fn dimensions(lang: Lang, dimensions: &[String]) -> String {
    let name = |id: &String| match Codebook::built_in().dimension(id) {
        Some(dimension) => dimension.label.text(lang.code()).to_lowercase(),
        None => format!("\"{id}\""),
    };
    let names = list(lang, dimensions.iter().map(name));
    match lang {
        Lang::Fi => {
            format!("Taulukoita saa jakaa ja rajata vain näiden mukaan: {names}. Muihin kysymyksiin ei vastata.")
        }
        Lang::Sv => {
            format!("Tabeller får delas upp och avgränsas endast efter detta: {names}. Andra frågor besvaras inte.")
        }
        Lang::En => format!("Tables may be divided and filtered only by these: {names}. Other questions are refused."),
    }
}

pub(super) fn purposes(lang: Lang, purposes: &[Purpose]) -> String {
    let names = purposes.iter().map(|purpose| match (purpose, lang) {
        (Purpose::StructuralSocialWork, Lang::Fi) => "rakenteellinen sosiaalityö (sosiaalihuoltolaki 1301/2014, 7 §)",
        (Purpose::StructuralSocialWork, Lang::Sv) => "strukturellt socialt arbete (socialvårdslagen 1301/2014, 7 §)",
        (Purpose::KnowledgeManagement, Lang::Fi) => {
            "tietojohtaminen (laki sosiaali- ja terveystietojen toissijaisesta käytöstä 552/2019, 41 §)"
        }
        (Purpose::KnowledgeManagement, Lang::Sv) => {
            "informationsledning (lagen om sekundär användning av personuppgifter inom social- och hälsovården \
             552/2019, 41 §)"
        }
        (Purpose::Statistics, Lang::Fi) => {
            "tilastointi (laki sosiaali- ja terveystietojen toissijaisesta käytöstä 552/2019, 2 §)"
        }
        (Purpose::Statistics, Lang::Sv) => {
            "statistikföring (lagen om sekundär användning av personuppgifter inom social- och hälsovården 552/2019, \
             2 §)"
        }
        (purpose, Lang::En) => purpose.basis(),
    });
    // The number of a section and its sign stay on one line.
    let names = list(lang, names.map(|name| name.replace(" §", "\u{a0}§")));
    match lang {
        Lang::Fi => format!("Kysymykseen vastataan vain, jos sen käyttötarkoitus on jokin näistä: {names}."),
        Lang::Sv => format!("En fråga besvaras endast om den ställs för något av dessa ändamål: {names}."),
        Lang::En => format!("A question is answered only for one of these purposes: {names}."),
    }
}

pub(super) fn most_cells(lang: Lang, most: u64) -> String {
    let most = lang.number(most);
    match lang {
        Lang::Fi => format!("Taulukkoa, jossa on kaikki vuosineljännekset yhteen laskien yli {most} lukua, ei tehdä."),
        Lang::Sv => format!("En tabell med fler än {most} siffror, alla kvartal sammanräknade, görs inte."),
        Lang::En => format!("A table of more than {most} figures, all its quarters taken together, is refused."),
    }
}

pub(super) fn most_per_client(lang: Lang, most: u8) -> String {
    let most = lang.number(most);
    match lang {
        Lang::Fi => format!(
            "Yhden asiakkaan tuen tarpeista otetaan yhteen taulukkoon mukaan enintään {most}, samoin vaikuttavista tekijöistä, \
             palvelutehtävistä ja niiden yhdistelmistä. Kysymykseen, jossa niitä laskettaisiin enemmän, ei vastata."
        ),
        Lang::Sv => format!(
            "Av en klients stödbehov räknas högst {most} med i en tabell, likaså av bidragande faktorer, serviceuppgifter och \
             kombinationer av dem. En fråga där fler skulle räknas besvaras inte."
        ),
        Lang::En => format!(
            "Of the needs of one client, at most {most} are counted in one table, and likewise of contributing factors, service \
             tasks and combinations of them. A question that would count more is refused."
        ),
    }
}

pub(super) fn hash(lang: Lang) -> &'static str {
    match lang {
        Lang::Fi => "Näiden sääntöjen tiiviste (hash), joka on merkitty jokaiseen luovutukseen:",
        Lang::Sv => "Reglernas kontrollsumma (hash), som anges i varje utlämnande:",
        Lang::En => "The hash of these rules, which stands in every release:",
    }
}

pub(super) fn standing(lang: Lang, approved: Approved) -> &'static str {
    match (approved, lang) {
        (Approved::InForce(_), Lang::Fi) => "Säännöt ovat voimassa: kaksi henkilöä on hyväksynyt ne.",
        (Approved::InForce(_), Lang::Sv) => "Reglerna gäller: två personer har godkänt dem.",
        (Approved::InForce(_), Lang::En) => "They are in force: two persons have approved them.",
        (Approved::BelowFloor(_), Lang::Fi) => {
            "Alue vaatii suuremman k:n kuin näissä säännöissä: solmu ei vastaa mihinkään."
        }
        (Approved::BelowFloor(_), Lang::Sv) => {
            "Regionen kräver ett större k än de här reglerna har: noden besvarar ingenting."
        }
        (Approved::BelowFloor(_), Lang::En) => {
            "The region wants a larger k than these rules have: the node answers nothing."
        }
        (Approved::Others, Lang::Fi) => {
            "Säännöt eivät ole voimassa: hyväksytyt säännöt ovat toiset.\n\
             Näillä säännöillä käynnistetty solmu ei vastaa mihinkään."
        }
        (Approved::Others, Lang::Sv) => {
            "Reglerna gäller inte: det är andra regler som har godkänts.\n\
             En nod som startas med de här reglerna besvarar ingenting."
        }
        (Approved::Others, Lang::En) => {
            "They are not in force: other rules were approved.\nA node that is started with these answers nothing."
        }
        (Approved::NotYet, Lang::Fi) => {
            "Säännöt eivät ole voimassa: kahden henkilön on ensin hyväksyttävä ne.\n\
             Siihen asti solmu ei vastaa mihinkään."
        }
        (Approved::NotYet, Lang::Sv) => {
            "Reglerna gäller inte: två personer måste först godkänna dem.\nTill dess besvarar noden ingenting."
        }
        (Approved::NotYet, Lang::En) => {
            "They are not in force: two persons have to approve them first.\nUntil then the node answers nothing."
        }
        (Approved::NobodyMay, Lang::Fi) => {
            "Säännöt eivät ole voimassa: niiden hyväksyjiä ei ole vielä nimetty.\n\
             Siihen asti solmu ei vastaa mihinkään."
        }
        (Approved::NobodyMay, Lang::Sv) => {
            "Reglerna gäller inte: ingen har ännu utsetts att godkänna dem.\nTill dess besvarar noden ingenting."
        }
        (Approved::NobodyMay, Lang::En) => {
            "They are not in force: nobody has been named yet who may approve them.\n\
             Until two persons have approved them, the node answers nothing."
        }
    }
}

pub(super) fn next(lang: Lang, approved: Approved) -> String {
    let command = match approved {
        Approved::InForce(_) => "koonti-node check",
        Approved::BelowFloor(_) => "koonti-node roster show",
        Approved::NotYet | Approved::Others => "koonti-node policy approve --key dpo.key --key director.key",
        Approved::NobodyMay => "koonti-node approver new --out dpo.key",
    };
    let word = match lang {
        Lang::Fi => "Seuraavaksi",
        Lang::Sv => "Härnäst",
        Lang::En => "Next",
    };
    format!("{word}: {command}")
}

/// A sentence without its full stop: how many typical tables something is enough for.
fn enough(lang: Lang, tables: u64) -> String {
    let count = lang.number(tables);
    match (tables, lang) {
        (0, Lang::Fi) => "Se ei riitä yhteenkään tyypilliseen taulukkoon".to_owned(),
        (0, Lang::Sv) => "Det räcker inte till en enda typisk tabell".to_owned(),
        (0, Lang::En) => "That is not enough for one typical table".to_owned(),
        (1, Lang::Sv) => format!("Det räcker till ungefär {count} typisk tabell"),
        (1, Lang::En) => format!("That is enough for about {count} typical table"),
        (_, Lang::Fi) => format!("Se riittää noin {count} tyypilliseen taulukkoon"),
        (_, Lang::Sv) => format!("Det räcker till ungefär {count} typiska tabeller"),
        (_, Lang::En) => format!("That is enough for about {count} typical tables"),
    }
}

/// Names one after another; those of laws have commas in them.
fn list(lang: Lang, names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    match (names.is_empty(), lang) {
        (true, Lang::Fi) => "ei mitään".to_owned(),
        (true, Lang::Sv) => "ingenting".to_owned(),
        (true, Lang::En) => "nothing".to_owned(),
        (false, _) => names.join("; "),
    }
}
