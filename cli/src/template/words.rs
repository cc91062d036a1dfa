//! What a sheet says, in three languages.
//!
//! Headings are names of columns: no two of a language are alike, and each is one that the
//! mapping can name. The Swedish wording is the authors' own.

/// A heading, and what to write below it.
type Heading = (&'static str, &'static str);

/// The words of one language.
pub(super) struct Words {
    /// Of the workbook, over the instructions.
    pub(super) title: &'static str,
    /// Names of the worksheets.
    pub(super) fill: &'static str,
    pub(super) help: &'static str,
    pub(super) lists: &'static str,
    pub(super) client: Heading,
    pub(super) date: Heading,
    pub(super) birth_year: Heading,
    pub(super) restricted: Heading,
    pub(super) hidden: Heading,
    /// Over the list of marks, and the one mark in it.
    pub(super) marks: &'static str,
    pub(super) yes: &'static str,
    /// Behind the first column of needs, and before its note.
    pub(super) first: &'static str,
    pub(super) most_important: &'static str,
    /// Notes on columns of dimensions and scores.
    pub(super) one: &'static str,
    pub(super) several: &'static str,
    pub(super) score: &'static str,
    pub(super) unverified: &'static str,
    /// What a spreadsheet says of a cell that is refused: at most 32 and 255 characters.
    pub(super) wrong: &'static str,
    pub(super) not_listed: &'static str,
    pub(super) no_date: &'static str,
    pub(super) no_year: &'static str,
    pub(super) no_score: &'static str,
    /// Headings and paragraphs; `{csv}` is the file's name.
    pub(super) instructions: &'static [(&'static str, &'static str)],
    /// Over the columns.
    pub(super) columns: &'static str,
}

impl Words {
    /// The words of `fi`, `sv` or anything else for English.
    pub(super) fn of(lang: &str) -> &'static Self {
        match lang {
            "fi" => &FINNISH,
            "sv" => &SWEDISH,
            _ => &ENGLISH,
        }
    }
}

const FINNISH: Words = Words {
    title: "Näin täytät kirjauslomakkeen",
    fill: "Kirjaus",
    help: "Ohje",
    lists: "Luettelot",
    client: (
        "Asiakasnumero",
        "Pakollinen. Asiakkaan numero asiakastietojärjestelmässä, aina samalla tavalla kirjoitettuna. Ei nimeä eikä henkilötunnusta.",
    ),
    date: ("Päivämäärä", "Pakollinen. Päivä, jona tilanne arvioitiin, esimerkiksi 3.9.2026."),
    birth_year: ("Syntymävuosi", "Neljä numeroa, esimerkiksi 1980. Alle 18-vuotiaita ei lasketa."),
    restricted: (
        "Käsittely rajoitettu",
        "Valitse kyllä, jos asiakkaan tietojen käsittelyä on rajoitettu (tietosuoja-asetuksen 18 artikla). Asiakasta ei silloin lasketa mihinkään lukuun.",
    ),
    hidden: (
        "Turvakielto",
        "Valitse kyllä, jos asiakkaalla on turvakielto. Asiakas lasketaan mukaan, mutta hänen kotikuntaansa ei käytetä.",
    ),
    marks: "Merkintä",
    yes: "kyllä",
    first: "tärkein",
    most_important: "Asiakkaan tärkein tarve. ",
    one: "Valitse luettelosta. Tyhjä: ei tiedossa.",
    several: "Valitse luettelosta, yksi kuhunkin sarakkeeseen. Tyhjä: ei muita tai ei arvioitu.",
    score: "Asiakkaan oma arvio, kokonaisina tai puolikkaina lukuina (6 tai 6,5). Tyhjä: ei kysytty.",
    unverified: " (Suomenkielistä sanamuotoa ei ole tarkistettu virallisesta lähteestä.)",
    wrong: "Tämä ei käy",
    not_listed: "Valitse luettelosta: napsauta solun oikealla puolella olevaa nuolta. Jätä tyhjäksi, jos et tiedä.",
    no_date: "Kirjoita päivä muodossa 3.9.2026.",
    no_year: "Kirjoita syntymävuosi neljällä numerolla, esimerkiksi 1980.",
    no_score: "Kirjoita koko tai puolikas luku asteikolta, esimerkiksi 6 tai 6,5. Jätä tyhjäksi, jos asiaa ei kysytty.",
    instructions: &[
        (
            "Yksi rivi",
            "Yksi asiakas yhtenä päivänä. Kun tilanne muuttuu, kirjoita uusi rivi samalla asiakasnumerolla. Vuosineljänneksen riveistä lasketaan kaikki tarpeet, tekijät ja muut useita arvoja sallivat tiedot; muista tiedoista viimeisin.",
        ),
        (
            "Luettelot",
            "Napsauta solua ja sen vieressä olevaa nuolta ja valitse. Voit myös kirjoittaa pelkän koodin, esimerkiksi N03. Jätä solu tyhjäksi, jos et tiedä.",
        ),
        (
            "Älä kirjoita",
            "Nimiä, henkilötunnuksia tai vapaata tekstiä. Älä muuta otsikkoriviä. Älä jätä tyhjiä rivejä rivien väliin: poista koko rivi.",
        ),
        (
            "Käsittelyn rajoitus",
            "Jos asiakkaan tietojen käsittelyä on rajoitettu, merkitse se yhdellekin hänen riveistään. Häntä ei silloin lasketa mihinkään, ei millään rivillä.",
        ),
        (
            "Turvakielto",
            "Jos asiakkaalla on turvakielto, merkitse se yhdellekin hänen riveistään. Hänet lasketaan mukaan, mutta ilman kotikuntaa kaikilla riveillä.",
        ),
        (
            "Tallenna CSV:ksi",
            "Avaa ensimmäinen välilehti. Excel: Tallenna nimellä, tyyppi \"CSV UTF-8 (luetteloerotin)\", nimi {csv}. LibreOffice: Tallenna nimellä, tyyppi \"Teksti CSV\", merkistö UTF-8, kenttien erotin puolipiste, solujen sisältö kuten näytetään. Koneen aluekieli on suomi.",
        ),
        (
            "Säilytä huolella",
            "Täytetty lomake ja CSV-tiedosto ovat asiakastietoja. Säilytä ja siirrä niitä kuten muita asiakastietoja, ja poista ne, kun tiedot on luettu.",
        ),
    ],
    columns: "Sarakkeet",
};

const SWEDISH: Words = Words {
    title: "Så fyller du i kodningsblanketten",
    fill: "Kodning",
    help: "Anvisning",
    lists: "Listor",
    client: (
        "Klientnummer",
        "Obligatoriskt. Klientens nummer i klientdatasystemet, alltid skrivet på samma sätt. Varken namn eller personbeteckning.",
    ),
    date: ("Datum", "Obligatoriskt. Den dag då situationen bedömdes, till exempel 3.9.2026."),
    birth_year: ("Födelseår", "Fyra siffror, till exempel 1980. Personer under 18 år räknas inte."),
    restricted: (
        "Behandling begränsad",
        "Välj ja om behandlingen av klientens uppgifter har begränsats (artikel 18 i dataskyddsförordningen). Klienten räknas då inte i någon siffra.",
    ),
    hidden: (
        "Spärrmarkering",
        "Välj ja om klienten har spärrmarkering (turvakielto). Klienten räknas med, men hemkommunen används inte.",
    ),
    marks: "Markering",
    yes: "ja",
    first: "viktigast",
    most_important: "Klientens viktigaste behov. ",
    one: "Välj ur listan. Tomt: inte känt.",
    several: "Välj ur listan, ett i varje kolumn. Tomt: inga fler eller inte bedömt.",
    score: "Klientens egen bedömning, i hela eller halva tal (6 eller 6,5). Tomt: inte frågat.",
    unverified: " (Den svenska formuleringen är inte kontrollerad mot en officiell källa.)",
    wrong: "Det här går inte",
    not_listed: "Välj ur listan: klicka på pilen till höger om cellen. Lämna tomt om du inte vet.",
    no_date: "Skriv dagen i formen 3.9.2026.",
    no_year: "Skriv födelseåret med fyra siffror, till exempel 1980.",
    no_score: "Skriv ett helt eller halvt tal på skalan, till exempel 6 eller 6,5. Lämna tomt om frågan inte ställdes.",
    instructions: &[
        (
            "En rad",
            "En klient en dag. När situationen ändras, skriv en ny rad med samma klientnummer. Av ett kvartals rader räknas alla behov, faktorer och andra uppgifter som kan ha flera värden; av övriga uppgifter den senaste.",
        ),
        (
            "Listor",
            "Klicka på cellen och på pilen bredvid den och välj. Du kan också skriva bara koden, till exempel N03. Lämna cellen tom om du inte vet.",
        ),
        (
            "Skriv inte",
            "Namn, personbeteckningar eller fri text. Ändra inte rubrikraden. Lämna inga tomma rader mellan raderna: ta bort hela raden.",
        ),
        (
            "Begränsad behandling",
            "Om behandlingen av klientens uppgifter har begränsats, markera det på minst en av klientens rader. Klienten räknas då inte alls, inte på någon rad.",
        ),
        (
            "Spärrmarkering",
            "Om klienten har spärrmarkering, markera det på minst en av klientens rader. Klienten räknas med, men utan hemkommun på alla rader.",
        ),
        (
            "Spara som CSV",
            "Öppna det första bladet. Excel: Spara som, typ \"CSV UTF-8 (kommaavgränsad)\", namn {csv}. LibreOffice: Spara som, typ \"Text CSV\", teckenuppsättning UTF-8, fältavgränsare semikolon, cellinnehåll som det visas. Datorns regionspråk är finska eller svenska (Finland).",
        ),
        (
            "Förvara varsamt",
            "Den ifyllda blanketten och CSV-filen är klientuppgifter. Förvara och överför dem som andra klientuppgifter, och radera dem när uppgifterna har lästs in.",
        ),
    ],
    columns: "Kolumner",
};

const ENGLISH: Words = Words {
    title: "How to fill in the coding sheet",
    fill: "Coding",
    help: "Instructions",
    lists: "Lists",
    client: (
        "Client number",
        "Required. The client's number in the client register, always written alike. No name and no personal identity code.",
    ),
    date: ("Date", "Required. The day of the assessment, such as 3.9.2026."),
    birth_year: ("Year of birth", "Four digits, such as 1980. People under 18 are not counted."),
    restricted: (
        "Processing restricted",
        "Choose yes if processing of the client's data is restricted (GDPR, Article 18). The client is then counted in no figure.",
    ),
    hidden: (
        "Non-disclosure order",
        "Choose yes if the client has a non-disclosure order (turvakielto). The client is counted, but the municipality is not used.",
    ),
    marks: "Mark",
    yes: "yes",
    first: "most important",
    most_important: "The client's most important need. ",
    one: "Choose from the list. Empty: not known.",
    several: "Choose from the list, one in each column. Empty: no more, or not assessed.",
    score: "The client's own rating, in whole or half numbers (6 or 6,5). Empty: not asked.",
    unverified: " (The English wording is not verified against an official source.)",
    wrong: "This will not do",
    not_listed: "Choose from the list: click the arrow to the right of the cell. Leave it empty if you do not know.",
    no_date: "Write the day as 3.9.2026.",
    no_year: "Write the year of birth in four digits, such as 1980.",
    no_score: "Write a whole or half number of the scale, such as 6 or 6,5. Leave it empty if this was not asked.",
    instructions: &[
        (
            "One row",
            "One client on one day. When the situation changes, write a new row with the same client number. Of a quarter's rows all needs, factors and other columns of several count; of everything else the latest.",
        ),
        (
            "Lists",
            "Click the cell and the arrow beside it, and choose. You may also write the code alone, such as N03. Leave the cell empty if you do not know.",
        ),
        (
            "Do not write",
            "Names, personal identity codes or free text. Do not change the first row. Leave no empty rows between rows: delete the whole row.",
        ),
        (
            "Processing restricted",
            "If processing of a client's data is restricted, mark it on at least one of the client's rows. The client is then not counted at all, on no row.",
        ),
        (
            "Non-disclosure order",
            "If a client has a non-disclosure order, mark it on at least one of the client's rows. The client is counted, but without a municipality on all rows.",
        ),
        (
            "Save as CSV",
            "Open the first worksheet. Excel: Save as, type \"CSV UTF-8 (Comma delimited)\", name {csv}. LibreOffice: Save as, type \"Text CSV\", character set UTF-8, field delimiter semicolon, cell content as shown. The computer's region is Finland.",
        ),
        (
            "Keep it safe",
            "The filled-in sheet and the CSV file are client data. Keep and move them as other client data, and delete them once they have been read.",
        ),
    ],
    columns: "Columns",
};

#[cfg(test)]
pub(super) const ALL: [&str; 3] = ["fi", "sv", "en"];
