//! Enrolment: keys are made here, and only public halves leave.
//!
//! Over the network it is one call. Without one, the keys wait in `keys/pending` while a
//! request is carried to the coordinator's operator and a reply back; nothing of what the
//! node has changes before the reply is here and fits.

use crate::config::Config;
use crate::error::Error;
use crate::keys::{self, Keys, Member};
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::names::hex;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, Name, canonical};
use koonti_evidence::note::{LogKey, WitnessKey};
use koonti_evidence::origin::{cosigner, node_origin};
use koonti_proto::edge::pki::{self, Kind, SpiffeId};
use koonti_proto::offline::{Reply, Request};
use koonti_proto::{Credentials, Token, enroll};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// What both ends compare by telephone.
pub struct Enrolled {
    /// The node's name.
    pub name: Name,
    /// The region.
    pub region: Name,
    /// The fingerprint of its two public keys.
    pub fingerprint: String,
    /// The public half of the node's identity key, as rosters list it.
    pub identity: Digest,
    /// The governance key that the invitation names.
    pub governance: Digest,
}

/// Takes up an invitation.
///
/// # Errors
/// When the invitation is for a person, expired, or not taken, a log was begun here with
/// other keys, or a key cannot be written. Nothing is left behind then but the key files.
pub async fn take_up(config: &Config, token: &Token) -> Result<Enrolled, Error> {
    let (keys, csr_pem, _) = NewKeys::make(config, token)?;
    let asked = enroll(config.enrolment_route(), token, &csr_pem, &keys.identity, Some(&keys.logs)).await;
    let (cert_pem, ca_pem) = asked?;
    keys.settle(config, ca_pem, cert_pem)
}

/// Makes the keys and writes the request to carry to the coordinator's operator.
///
/// # Errors
/// When the invitation is for a person, `out` exists, or a file cannot be written.
pub fn request(config: &Config, token: &Token, out: &Path) -> Result<Enrolled, Error> {
    if out.exists() {
        return Err(Error::Refused(format!("{}: exists already; nothing was changed", out.display())));
    }
    let (keys, csr_pem, spki_sha256) = NewKeys::make(config, token)?;
    keys.keep(config, token.ca_sha256)?;
    let request = Request::new(token, &csr_pem, &keys.identity, Some(&keys.logs));
    koonti_journal::write_atomic(out, &request.bytes(), 0o600)?;
    Ok(keys.enrolled(pki::fingerprint(&[&keys.identity.public().0, &spki_sha256])))
}

/// Takes up the reply to the request made last.
///
/// # Errors
/// When no request is under way, or the reply is not from the invitation's coordinator or
/// not for the keys made here. Nothing is changed then.
pub fn take_reply(config: &Config, reply: &Path) -> Result<Enrolled, Error> {
    let (keys, pin) = NewKeys::kept(config)?;
    let bytes = std::fs::read(reply).map_err(|e| Error::file(reply, &e))?;
    let member = &keys.member;
    let who = SpiffeId::new(member.region.as_str(), Kind::Node, member.name.as_str()).map_err(refused)?;
    let taken = Reply::parse(&bytes, pin, &who, &keys.key_pem);
    let (ca_pem, cert_pem) = taken.map_err(|e| Error::Refused(format!("{}: {e}", reply.display())))?;
    let enrolled = keys.settle(config, ca_pem, cert_pem)?;
    let pending = pending(config);
    std::fs::remove_dir_all(&pending).map_err(|e| Error::file(&pending, &e))?;
    Ok(enrolled)
}

/// The keys of an enrolment that is under way.
struct NewKeys {
    member: Member,
    key_pem: Zeroizing<String>,
    identity: IdentityKey,
    logs: LogKeys,
    /// The seeds of the last two; none for a node that has been enrolled before. It keeps
    /// identity, log and seal: extracts stay readable, and the roster stays true.
    seeds: Option<[Zeroizing<[u8; 32]>; 2]>,
}

impl NewKeys {
    /// Makes them, the CSR, and the SHA-256 of its public key.
    fn make(config: &Config, token: &Token) -> Result<(Self, String, [u8; 32]), Error> {
        if token.kind != Kind::Node {
            return Err(Error::Refused("this invitation is for a person: use `koonti enroll`".into()));
        }
        let member = Member { governance: token.governance, name: token.name.clone(), region: token.region.clone() };
        let (key_pem, csr_pem, spki_sha256) = pki::new_key_and_csr().map_err(refused)?;
        let key_pem = Zeroizing::new(key_pem);
        if let Some(before) = before(config, &member)? {
            let logs = before.logs();
            let keys = Self { member, key_pem, identity: before.identity, logs, seeds: None };
            return Ok((keys, csr_pem, spki_sha256));
        }
        may_be_new(config)?;
        let seeds = [Zeroizing::new(keys::random()?), Zeroizing::new(keys::random()?)];
        let identity = IdentityKey::from_seed(keys::random()?);
        let logs = logs(&member, &seeds)?;
        Ok((Self { member, key_pem, identity, logs, seeds: Some(seeds) }, csr_pem, spki_sha256))
    }

    /// Keeps them until the reply comes; those of an earlier request are dropped.
    fn keep(&self, config: &Config, pin: Digest) -> Result<(), Error> {
        let dir = pending(config);
        match std::fs::remove_dir_all(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(Error::file(&dir, &e)),
            _ => {}
        }
        koonti_journal::create_dir_private(&config.state)?;
        koonti_journal::create_dir_private(&dir)?;
        write(&dir, "tls.key", self.key_pem.as_bytes())?;
        write(&dir, "pin", pin.to_string().as_bytes())?;
        if let Some(seeds) = &self.seeds {
            self.write_seeds(&dir, seeds)?;
        }
        write(&dir, "member.json", &canonical::to_bytes(&self.member).expect("names and hex"))
    }

    fn kept(config: &Config) -> Result<(Self, Digest), Error> {
        let dir = pending(config);
        if !dir.join("member.json").exists() {
            let why = "no enrolment without a network is under way here: begin with `koonti-node enroll --offline`";
            return Err(Error::Refused(why.into()));
        }
        let read = |name: &str| std::fs::read_to_string(dir.join(name)).map_err(|e| Error::file(&dir.join(name), &e));
        let member: Member = canonical::from_bytes(read("member.json")?.as_bytes()).map_err(refused)?;
        let pin = Digest(keys::secret(&dir, "pin")?);
        let key_pem = Zeroizing::new(read("tls.key")?);
        let keys = match before(config, &member)? {
            Some(before) => {
                let logs = before.logs();
                Self { member, key_pem, identity: before.identity, logs, seeds: None }
            }
            None => {
                may_be_new(config)?;
                let seed = |name| keys::secret(&dir, name).map(Zeroizing::new);
                let seeds = [seed("log.key")?, seed("witness.key")?];
                let identity = IdentityKey::from_seed(keys::secret(&dir, "identity.key")?);
                let logs = logs(&member, &seeds)?;
                Self { member, key_pem, identity, logs, seeds: Some(seeds) }
            }
        };
        Ok((keys, pin))
    }

    /// Puts everything in its place.
    fn settle(&self, config: &Config, ca_pem: String, cert_pem: String) -> Result<Enrolled, Error> {
        koonti_journal::create_dir_private(&config.state)?;
        koonti_journal::create_dir_private(&config.keys)?;
        write(&config.keys, "ca.crt", ca_pem.as_bytes())?;
        let pair = Credentials { ca_pem, cert_pem, key_pem: self.key_pem.to_string() };
        keys::write_pair(&config.keys, &pair)?;
        if let Some(seeds) = &self.seeds {
            self.write_seeds(&config.keys, seeds)?;
            write(&config.keys, "seal.key", Zeroizing::new(hex(&keys::random()?)).as_bytes())?;
        }
        // Last: it is what says that the node is enrolled.
        write(&config.keys, "member.json", &canonical::to_bytes(&self.member).expect("names and hex"))?;
        let spki_sha256 = pair.spki_sha256().map_err(refused)?;
        Ok(self.enrolled(pki::fingerprint(&[&self.identity.public().0, &spki_sha256])))
    }

    fn write_seeds(&self, dir: &Path, [log, witness]: &[Zeroizing<[u8; 32]>; 2]) -> Result<(), Error> {
        write(dir, "identity.key", self.identity.seed_hex().as_bytes())?;
        write(dir, "log.key", Zeroizing::new(hex(&**log)).as_bytes())?;
        write(dir, "witness.key", Zeroizing::new(hex(&**witness)).as_bytes())
    }

    fn enrolled(&self, fingerprint: String) -> Enrolled {
        let Member { governance, name, region } = self.member.clone();
        Enrolled { name, region, identity: self.identity.public(), governance, fingerprint }
    }
}

/// The keys of a node that is enrolled already; its name, region and governance key stay.
fn before(config: &Config, member: &Member) -> Result<Option<Keys>, Error> {
    if !config.keys.join("member.json").exists() {
        return Ok(None);
    }
    let before = Keys::load(&config.keys)?;
    let same = (&before.member.name, &before.member.region, before.member.governance)
        == (&member.name, &member.region, member.governance);
    if !same {
        let why =
            "this node is enrolled under another name, region or governance key: its state and keys stay with that";
        return Err(Error::Refused(why.into()));
    }
    Ok(Some(before))
}

/// New keys are for a new log, and lie where no backup of the state takes them along.
fn may_be_new(config: &Config) -> Result<(), Error> {
    let journal = config.journal();
    if journal.exists() && !koonti_journal::read(&journal).is_ok_and(|entries| entries.is_empty()) {
        return Err(Error::OtherKeys { log: journal.display().to_string() });
    }
    if config.keys_in_state() {
        return Err(Error::Refused(format!(
            "the keys would come to lie in {}, inside the state directory, which is backed up: name another place in node.toml, such as keys = \"keys\", and leave that out of backups",
            config.keys.display()
        )));
    }
    Ok(())
}

fn logs(member: &Member, [log, witness]: &[Zeroizing<[u8; 32]>; 2]) -> Result<LogKeys, Error> {
    let origin = node_origin(&member.region, &member.name);
    Ok(LogKeys {
        log: LogKey::from_seed(&origin, log.clone()).map_err(refused)?.verifier().public(),
        witness: WitnessKey::from_seed(&cosigner(&origin), witness.clone()).map_err(refused)?.verifier().public(),
    })
}

fn pending(config: &Config) -> PathBuf {
    config.keys.join("pending")
}

fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
    Ok(koonti_journal::write_atomic(&dir.join(name), bytes, 0o600)?)
}

fn refused(error: impl std::fmt::Display) -> Error {
    Error::Refused(error.to_string())
}
