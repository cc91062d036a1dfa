//! What logs name by hash or repeat word for word, each parsed once.

use koonti_disclosure::canonical::Json;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::release::Received;
use koonti_disclosure::{Digest, Policy, TableRequest, canonical};
use koonti_evidence::entry::Heads;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Values that are computed once, by key; whoever needs one meanwhile waits.
pub(crate) struct Memo<K, V>(Mutex<HashMap<K, Arc<OnceLock<V>>>>);

impl<K: Hash + Eq, V: Clone> Memo<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> V) -> V {
        let held = Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        held.get_or_init(make).clone()
    }
}

/// The blobs, with what was made of them.
pub(crate) struct Blobs<'a> {
    raw: &'a HashMap<Digest, &'a [u8]>,
    requests: Memo<Digest, Option<TableRequest>>,
    signed: Memo<Digest, Option<Arc<SignedRequest>>>,
    verified: Memo<(Digest, Digest), bool>,
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

    /// A request.
    pub(crate) fn request(&self, json: &Json) -> Option<TableRequest> {
        let parse = || TableRequest::read(json.bytes()).ok();
        self.requests.get(json.hash(), parse)
    }

    /// A signed request, its signature not yet checked.
    pub(crate) fn signed(&self, json: &Json) -> Option<Arc<SignedRequest>> {
        let parse = || SignedRequest::parse(json.bytes()).ok().map(Arc::new);
        self.signed.get(json.hash(), parse)
    }

    /// Whether a signed request verifies under a key.
    pub(crate) fn verifies(&self, signed: &SignedRequest, key: Digest) -> bool {
        self.verified.get((signed.json().hash(), key), || signed.verify(key).is_ok())
    }

    pub(crate) fn policy(&self, hash: Digest) -> Option<Arc<Policy>> {
        let parse = || canonical::from_bytes::<Policy>(self.raw(hash)?).ok().map(Arc::new);
        self.policies.get(hash, parse)
    }

    pub(crate) fn heads(&self, hash: Digest) -> Option<Arc<Heads>> {
        let parse = || canonical::from_bytes::<Heads>(self.raw(hash)?).ok().map(Arc::new);
        self.heads.get(hash, parse)
    }

    /// A release; only its shape is checked.
    pub(crate) fn release(&self, hash: Digest) -> Option<Arc<Received>> {
        let parse = || Received::read(self.raw(hash)?, |request| self.request(request)).ok().map(Arc::new);
        self.releases.get(hash, parse)
    }
}
