//! Reading the file line by line; an error names the line.

use super::{Member, Quorum, Rule, Trust};
use crate::note::{self, Kind, VerifierKey};
use crate::text::undecimal;
use koonti_disclosure::Digest;

/// What is wrong, and in which line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Error {
    /// The line, from 1; one past the last when a line is missing.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// It has a control character.
    #[error("it has a control character")]
    Control,
    /// It does not end in a newline, so the file may have been cut.
    #[error("it does not end in a newline: is the file whole?")]
    Cut,
    /// Its first word is none of this format, or words are missing or too many.
    #[error("not a line of this file; expected {0}")]
    Shape(&'static str),
    /// The key is not one.
    #[error(transparent)]
    Key(#[from] note::Error),
    /// The key is of the other kind.
    #[error("the key is of another kind: logs have algorithm 1, witnesses 4")]
    Kind,
    /// The key, or its log's name, stands in a line above.
    #[error("the key or its log's name stands in a line above")]
    DuplicateKey,
    /// The name is given to another witness or group, or is `none`.
    #[error("the name {0} is taken")]
    Taken(String),
    /// No line above defines the name.
    #[error("no witness or group {0} stands above")]
    Unknown(String),
    /// The name is a member of a group above, or twice of this one.
    #[error("{0} is a member already")]
    Member(String),
    /// k is not a number from 1 to that of the members.
    #[error("a group needs at least one and at most all of its members")]
    Least,
    /// There is a second line of a kind that there is once.
    #[error("a second {0} line")]
    Second(&'static str),
    /// A line that must be there is not.
    #[error("no {0} line")]
    Missing(&'static str),
}

impl Trust {
    /// Reads the file.
    ///
    /// # Errors
    /// Names the first line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut draft = Draft::default();
        let mut lines = 0;
        for (line, end) in text.split_inclusive('\n').zip(1..) {
            draft.line(line).map_err(|fault| Error { line: end, fault })?;
            lines = end;
        }
        draft.finish().map_err(|fault| Error { line: lines + 1, fault })
    }
}

#[derive(Default)]
struct Draft {
    logs: Vec<VerifierKey>,
    members: Vec<Member>,
    /// Places of those that are in a group.
    grouped: Vec<usize>,
    quorum: Option<Quorum>,
    governance: Option<Digest>,
}

impl Draft {
    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let line = line.strip_suffix('\n').ok_or(Fault::Cut)?;
        // In UTF-8, which a string is, 0x7f is the one character barred above space.
        if line.bytes().any(|b| (b < b' ' && b != b'\t') || b == 0x7f) {
            return Err(Fault::Control);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words[..] {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] | ["log", key, _] => self.log(key),
            ["log", ..] => Err(Fault::Shape("log <key> [<url>]")),
            ["witness", name, key] | ["witness", name, key, _] => self.witness(name, key),
            ["witness", ..] => Err(Fault::Shape("witness <name> <key> [<url>]")),
            ["group", name, least, ref of @ ..] if !of.is_empty() => self.group(name, least, of),
            ["group", ..] => Err(Fault::Shape("group <name> <k>|any|all <member>...")),
            ["quorum", name] => self.quorum(name),
            ["quorum", ..] => Err(Fault::Shape("quorum <name>|none")),
            ["governance", key] => self.governance(key),
            ["governance", ..] => Err(Fault::Shape("governance <64 lower-case hex digits>")),
            _ => Err(Fault::Shape("log, witness, group, quorum or governance")),
        }
    }

    fn log(&mut self, key: &str) -> Result<(), Fault> {
        let key = self.fresh_key(key, Kind::Log)?;
        if self.logs.iter().any(|log| log.name() == key.name()) {
            return Err(Fault::DuplicateKey);
        }
        self.logs.push(key);
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str) -> Result<(), Fault> {
        let key = self.fresh_key(key, Kind::Witness)?;
        self.define(name, Rule::Witness(key))
    }

    fn group(&mut self, name: &str, least: &str, of: &[&str]) -> Result<(), Fault> {
        let least = match least {
            "any" => 1,
            "all" => of.len(),
            k => undecimal(k).and_then(|k| usize::try_from(k).ok()).ok_or(Fault::Least)?,
        };
        if least == 0 || least > of.len() {
            return Err(Fault::Least);
        }
        let mut places = Vec::new();
        for member in of {
            let place = self.place(member)?;
            // Once at most, so that a witness counts in one way only.
            if self.grouped.contains(&place) {
                return Err(Fault::Member((*member).to_owned()));
            }
            self.grouped.push(place);
            places.push(place);
        }
        self.define(name, Rule::Group { least, of: places })
    }

    fn quorum(&mut self, name: &str) -> Result<(), Fault> {
        if self.quorum.is_some() {
            return Err(Fault::Second("quorum"));
        }
        self.quorum = Some(if name == NONE { Quorum::None } else { Quorum::Member(self.place(name)?) });
        Ok(())
    }

    fn governance(&mut self, key: &str) -> Result<(), Fault> {
        if self.governance.is_some() {
            return Err(Fault::Second("governance"));
        }
        self.governance = Some(key.parse().map_err(|_| Fault::Shape("governance <64 lower-case hex digits>"))?);
        Ok(())
    }

    fn finish(self) -> Result<Trust, Fault> {
        let quorum = self.quorum.unwrap_or(Quorum::Region);
        let governance = self.governance.ok_or(Fault::Missing("governance"))?;
        Ok(Trust { logs: self.logs, members: self.members, quorum, governance })
    }

    /// A key whose 32 bytes stand in no line above. Two names for one witness would
    /// count twice; a key that is both log's and witness's vouches for itself.
    fn fresh_key(&self, key: &str, kind: Kind) -> Result<VerifierKey, Fault> {
        let key = VerifierKey::parse(key)?;
        if key.kind() != kind {
            return Err(Fault::Kind);
        }
        let witnesses = self.members.iter().filter_map(|member| match &member.rule {
            Rule::Witness(key) => Some(key),
            Rule::Group { .. } => None,
        });
        let known = self.logs.iter().chain(witnesses).any(|other| other.public() == key.public());
        if known { Err(Fault::DuplicateKey) } else { Ok(key) }
    }

    fn define(&mut self, name: &str, rule: Rule) -> Result<(), Fault> {
        if name == NONE || self.place(name).is_ok() {
            return Err(Fault::Taken(name.to_owned()));
        }
        self.members.push(Member { name: name.to_owned(), rule });
        Ok(())
    }

    fn place(&self, name: &str) -> Result<usize, Fault> {
        let place = self.members.iter().position(|member| member.name == name);
        place.ok_or_else(|| Fault::Unknown(name.to_owned()))
    }
}

/// The quorum that asks for no witness.
const NONE: &str = "none";
