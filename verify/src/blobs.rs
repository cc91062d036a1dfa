//! What logs name by hash or repeat word for word, each parsed once.

use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::release::Received;
use koonti_disclosure::{Codebook, Digest, Policy, TableRequest, canonical};
use koonti_evidence::entry::Heads;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Values that were computed once, by key.
pub(crate) struct Memo<K, V>(Mutex<HashMap<K, V>>);

impl<K: Hash + Eq + Clone, V: Clone> Memo<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(crate) fn get(&self, key: &K, make: impl FnOnce() -> V) -> V {
        if let Some(held) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key) {
            return held.clone();
        }
        let made = make();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), made.clone());
        made
    }
}

/// The blobs, with what was made of them.
pub(crate) struct Blobs<'a> {
    raw: &'a HashMap<Digest, &'a [u8]>,
    requests: Memo<Vec<u8>, Option<Arc<TableRequest>>>,
    signed: Memo<Vec<u8>, Option<Arc<SignedRequest>>>,
    verified: Memo<(Vec<u8>, Digest), bool>,
    policies: Memo<Digest, Option<Arc<Policy>>>,
    heads: Memo<Digest, Option<Arc<Heads>>>,
    releases: Memo<Digest, Option<Arc<Received>>>,
}

impl<'a> Blobs<'a> {
    pub(crate) fn new(raw: &'a HashMap<Digest, &'a [u8]>) -> Self {
        Self {
            raw,
            requests: Memo::new(),
            signed: Memo::new(),
            verified: Memo::new(),
            policies: Memo::new(),
            heads: Memo::new(),
            releases: Memo::new(),
        }
    }

    pub(crate) fn raw(&self, hash: Digest) -> Option<&'a [u8]> {
        self.raw.get(&hash).copied()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Digest> {
        self.raw.keys().copied()
    }

    /// A request from its canonical bytes.
    pub(crate) fn request(&self, bytes: &[u8]) -> Option<Arc<TableRequest>> {
        let parse = || TableRequest::parse(bytes, Codebook::built_in()).ok().map(Arc::new);
        self.requests.get(&bytes.to_vec(), parse)
    }

    /// A signed request, its signature not yet checked.
    pub(crate) fn signed(&self, value: &serde_json::Value) -> Option<Arc<SignedRequest>> {
        let bytes = canonical::to_bytes(value).ok()?;
        let parse = || SignedRequest::parse(&bytes, Codebook::built_in()).ok().map(Arc::new);
        self.signed.get(&bytes, parse)
    }

    /// Whether a signed request verifies under a key.
    pub(crate) fn verifies(&self, signed: &SignedRequest, key: Digest) -> bool {
        self.verified.get(&(signed.bytes(), key), || signed.verify(key).is_ok())
    }

    pub(crate) fn policy(&self, hash: Digest) -> Option<Arc<Policy>> {
        let parse = || canonical::from_bytes::<Policy>(self.raw(hash)?).ok().map(Arc::new);
        self.policies.get(&hash, parse)
    }

    pub(crate) fn heads(&self, hash: Digest) -> Option<Arc<Heads>> {
        let parse = || canonical::from_bytes::<Heads>(self.raw(hash)?).ok().map(Arc::new);
        self.heads.get(&hash, parse)
    }

    /// A release; only its shape is checked.
    pub(crate) fn release(&self, hash: Digest) -> Option<Arc<Received>> {
        let parse = || Received::read(self.raw(hash)?, Codebook::built_in()).ok().map(Arc::new);
        self.releases.get(&hash, parse)
    }
}
