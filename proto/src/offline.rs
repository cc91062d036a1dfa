//! Enrolment without a network: one file to the coordinator's operator, one file back.
//!
//! Both are canonical JSON, PEM texts as lists of their lines. The first holds what would
//! have gone over the wire, the invitation's secret among it: whoever reads it on its way
//! can take the invitation up first, which the fingerprints show. The second holds nothing
//! secret.

use crate::edge::pki::{self, Kind};
use crate::server::EnrolAsk;
use crate::token::Token;
use koonti_disclosure::canonical;
use koonti_disclosure::identity::{IdentityKey, check_enrolment};
use koonti_disclosure::names::{hex, unhex};
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, Name};
use serde::{Deserialize, Serialize};

/// What a newcomer carries to the coordinator.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    csr: Lines,
    identity: Digest,
    kind: Word,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log: Option<Digest>,
    name: Name,
    proof: String,
    region: Name,
    secret: Digest,
    v: u8,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    witness: Option<Digest>,
}

/// What is carried back.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    ca: Lines,
    certificate: Lines,
    name: Name,
    region: Name,
    v: u8,
}

/// A PEM text, which canonical JSON has no line breaks for.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
struct Lines(Vec<String>);

impl Lines {
    fn of(pem: &str) -> Self {
        Self(pem.lines().map(str::to_owned).collect())
    }

    fn text(&self) -> String {
        self.0.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Node,
    Person,
}

/// Why a file is no request, or no reply.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is something else, or was altered.
    #[error("not a file of an enrolment without a network: {0}")]
    Shape(#[from] canonical::Error),
    /// It is of another version.
    #[error("of another version of this format: {0}")]
    Version(u8),
    /// It is of another region.
    #[error("of region {0}")]
    Region(Name),
    /// The keys do not go with it, or it was altered.
    #[error("it is not signed with the key that it names: it was altered")]
    Proof,
    /// The reply is not from the coordinator of the invitation.
    #[error("its authority is not the one in the invitation: do not use it, and telephone the coordinator's operator")]
    Authority,
    /// The reply is not for this newcomer.
    #[error("it is for {0}, not for the keys made here")]
    SomebodyElse(String),
    /// The certificate cannot be used.
    #[error("the certificate in it cannot be used: {0}")]
    Certificate(String),
}

impl Request {
    /// What a newcomer with this invitation and these keys carries to the coordinator.
    pub fn new(token: &Token, csr_pem: &str, identity: &IdentityKey, logs: Option<&LogKeys>) -> Self {
        let csr = Lines::of(csr_pem);
        Self {
            identity: identity.public(),
            kind: if token.kind == Kind::Node { Word::Node } else { Word::Person },
            log: logs.map(|keys| keys.log),
            name: token.name.clone(),
            proof: hex(&identity.sign_enrolment(&csr.text(), logs)),
            csr,
            region: token.region.clone(),
            secret: token.secret,
            v: 1,
            witness: logs.map(|keys| keys.witness),
        }
    }

    /// The file.
    ///
    /// # Panics
    /// Never: it holds names, hex and text.
    pub fn bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self).expect("names, hex and text")
    }

    /// Reads a file and checks its proof; what the coordinator makes of it is its own matter.
    ///
    /// # Errors
    /// When it is none, of another region, or altered.
    pub fn parse(bytes: &[u8], region: &Name) -> Result<EnrolAsk, Error> {
        let it: Self = canonical::from_bytes(bytes.trim_ascii_end())?;
        if it.v != 1 {
            return Err(Error::Version(it.v));
        }
        if it.region != *region {
            return Err(Error::Region(it.region));
        }
        let logs = match (it.kind, it.log, it.witness) {
            (Word::Node, Some(log), Some(witness)) => Some(LogKeys { log, witness }),
            (Word::Person, None, None) => None,
            _ => return Err(Error::Proof),
        };
        let proof: [u8; 64] = unhex(&it.proof).map_err(|_| Error::Proof)?;
        let csr_pem = it.csr.text();
        check_enrolment(&csr_pem, logs.as_ref(), &proof, it.identity).map_err(|_| Error::Proof)?;
        let is_node = it.kind == Word::Node;
        Ok(EnrolAsk { is_node, name: it.name, secret: it.secret, csr_pem, identity: it.identity, logs })
    }
}

impl Reply {
    /// What is carried back to a newcomer.
    pub fn new(region: &Name, name: &Name, certificate_pem: &str, ca_pem: &str) -> Self {
        let (ca, certificate) = (Lines::of(ca_pem), Lines::of(certificate_pem));
        Self { ca, certificate, name: name.clone(), region: region.clone(), v: 1 }
    }

    /// The file.
    ///
    /// # Panics
    /// Never: it holds names and text.
    pub fn bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self).expect("names and text")
    }

    /// Reads a file; for whoever has just made it.
    ///
    /// # Errors
    /// When it is none.
    pub fn certificate_pem(bytes: &[u8]) -> Result<String, Error> {
        let it: Self = canonical::from_bytes(bytes.trim_ascii_end())?;
        Ok(it.certificate.text())
    }

    /// Reads a file for a newcomer whose invitation pins the authority with this hash, and
    /// whose TLS key is this. Returns CA and certificate chain, which go with that key.
    ///
    /// # Errors
    /// When it is none, from another authority, or for another key or name.
    pub fn parse(bytes: &[u8], pin: Digest, who: &pki::SpiffeId, key_pem: &str) -> Result<(String, String), Error> {
        let it: Self = canonical::from_bytes(bytes.trim_ascii_end())?;
        if it.v != 1 {
            return Err(Error::Version(it.v));
        }
        if (it.region.as_str(), it.name.as_str()) != (who.region.as_str(), who.name.as_str()) {
            return Err(Error::SomebodyElse(format!("{} of region {}", it.name, it.region)));
        }
        let unusable = |e: &dyn std::fmt::Display| Error::Certificate(e.to_string());
        let (ca_pem, certificate_pem) = (it.ca.text(), it.certificate.text());
        if pki::authority_sha256(&ca_pem).map_err(|e| unusable(&e))? != pin.0 {
            return Err(Error::Authority);
        }
        let (found, _) = pki::identity_of_pem(&certificate_pem).map_err(|e| unusable(&e))?;
        if found != *who {
            return Err(Error::SomebodyElse(found.to_string()));
        }
        crate::edge::check_client(&ca_pem, &certificate_pem, key_pem).map_err(|e| unusable(&e))?;
        Ok((ca_pem, certificate_pem))
    }
}

/// The fingerprint that both ends show: of the identity key and the key in the certificate.
///
/// # Errors
/// When there is no certificate in the text.
pub fn fingerprint(identity: Digest, certificate_pem: &str) -> Result<String, pki::Error> {
    let (_, spki_sha256) = pki::identity_of_pem(certificate_pem)?;
    Ok(pki::fingerprint(&[&identity.0, &spki_sha256]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edge::pki::{Authority, SpiffeId, new_key_and_csr};

    fn token(authority: &Authority) -> Token {
        Token {
            kind: Kind::Person,
            region: "ita".parse().expect("a name"),
            name: "aino".parse().expect("a name"),
            ca_sha256: Digest(authority.cert_sha256()),
            governance: Digest([1; 32]),
            secret: Digest([2; 32]),
            expires: 0,
        }
    }

    #[test]
    fn a_request_is_whole_or_refused() {
        let authority = Authority::create("ita").expect("an authority");
        let (_, csr, _) = new_key_and_csr().expect("a key");
        let (token, key) = (token(&authority), IdentityKey::from_seed([7; 32]));
        let request = Request::new(&token, &csr, &key, None);
        let ask = Request::parse(&request.bytes(), &token.region).expect("a request");
        assert_eq!((ask.is_node, ask.secret, ask.identity), (false, token.secret, key.public()));
        assert!(matches!(Request::parse(&request.bytes(), &"lansi".parse().expect("a name")), Err(Error::Region(_))));
        let other = Request { identity: IdentityKey::from_seed([8; 32]).public(), ..request.clone() };
        assert!(matches!(Request::parse(&other.bytes(), &token.region), Err(Error::Proof)));
        let more = Request { log: Some(Digest([3; 32])), ..request };
        assert!(matches!(Request::parse(&more.bytes(), &token.region), Err(Error::Proof)));
    }

    #[test]
    fn a_reply_is_from_the_pinned_authority_for_this_key_and_name() {
        let (authority, other) = (Authority::create("ita").expect("one"), Authority::create("ita").expect("another"));
        let (key, csr, _) = new_key_and_csr().expect("a key");
        let (foreign_key, ..) = new_key_and_csr().expect("a key");
        let token = token(&authority);
        let who = |name| SpiffeId::new("ita", Kind::Person, name).expect("an identity");
        let reply = |by: &Authority, name| {
            let issued = by.issue_client(&csr, &who(name), 30).expect("a certificate");
            Reply::new(&token.region, &token.name, &issued.cert_pem, &by.cert_pem()).bytes()
        };
        let good = reply(&authority, "aino");
        assert!(Reply::parse(&good, token.ca_sha256, &who("aino"), &key).is_ok());
        let refused = |bytes: &[u8], key: &str| Reply::parse(bytes, token.ca_sha256, &who("aino"), key).err();
        assert!(matches!(refused(&good, &foreign_key), Some(Error::Certificate(_))));
        assert!(matches!(refused(&reply(&other, "aino"), &key), Some(Error::Authority)));
        assert!(matches!(refused(&reply(&authority, "ville"), &key), Some(Error::SomebodyElse(_))));
        let altered = |from: &str, to: &str| String::from_utf8(good.clone()).expect("JSON").replace(from, to);
        for text in [altered("\"aino\"", "\"ville\""), altered("\"ita\"", "\"lansi\"")] {
            assert!(matches!(refused(text.as_bytes(), &key), Some(Error::SomebodyElse(_))), "{text}");
        }
        // The pinned authority's certificate beside one that another has signed.
        let issued = other.issue_client(&csr, &who("aino"), 30).expect("a certificate");
        let mixed = Reply::new(&token.region, &token.name, &issued.cert_pem, &authority.cert_pem()).bytes();
        assert!(matches!(refused(&mixed, &key), Some(Error::Certificate(_))));
    }
}
