//! A coordinator under the test's own hand: real port, real certificate, no manners.
//!
//! [`Evil`] listens where the region's coordinator did, with that one's own keys.
//! It lets every node in by the name in its certificate, keeps whatever they say,
//! thanks them for all of it and checks nothing: it cosigns whatever log they show. It
//! sends what a test tells it to send, and nothing else: no roster, no offer, no message
//! of a round. Its own log holds what [`Evil::asks`] puts there.

use crate::region::Region;
use crate::scribe::Scribe;
use koonti_disclosure::identity::SignedRequest;
use koonti_disclosure::round::Strictness;
use koonti_disclosure::{Digest, Name, Refusal};
use koonti_proto::access::{Caller, Registry, Role};
use koonti_proto::edge::pki::{Kind, SpiffeId};
use koonti_proto::edge::server::ServerCertificate;
use koonti_proto::wire::{
    Ask, Asked, Deposit, Deposited, Hello, NodeStatus, Offer, Received, Retrieved, RoundMessage, Table, ToNode,
};
use koonti_proto::{Failure, Items, RenewAsk, Rooms, serve};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio_stream::wrappers::UnboundedReceiverStream;

/// Longest wait for a node to say what it should say at once.
const SOON: Duration = Duration::from_secs(20);

/// What a node has said.
#[derive(Clone, PartialEq, Debug)]
pub struct Heard {
    /// Which node.
    pub node: Name,
    /// What.
    pub word: Word,
}

/// One thing that a node says.
#[derive(Clone, PartialEq, Debug)]
pub enum Word {
    /// It has connected.
    Here,
    /// It is ready for a round of this question, on these terms.
    Ready(Digest, Strictness),
    /// It refuses this question.
    Refused(Digest, Refusal),
    /// Another answer to this question.
    Other(Digest),
    /// A message of a round.
    Message(Vec<u8>),
}

/// The lying coordinator. Dropped, it stops listening.
pub struct Evil {
    mail: Arc<Mail>,
    runtime: Option<Runtime>,
}

struct Mail {
    inner: Mutex<Inner>,
    came: Condvar,
}

struct Inner {
    here: BTreeMap<Name, UnboundedSender<ToNode>>,
    heard: Vec<Heard>,
    /// Its own log.
    scribe: Scribe,
    /// What it answers to whoever shows a log.
    grudge: Option<Failure>,
}

impl Evil {
    /// Takes the place of the region's coordinator, which must not run.
    ///
    /// # Panics
    /// When its port is taken or its keys are not there.
    pub fn in_place_of(region: &Region) -> Self {
        let address = region.main_url().replace("https://", "");
        let listener = TcpListener::bind(address).expect("the coordinator's port");
        let keys = region.dir().join("coordinator/keys");
        let read = |file: &str| std::fs::read_to_string(keys.join(file)).expect("a key file of the coordinator");
        let (ca, cert, key) = (read("ca.crt"), read("server.crt"), read("server.key"));
        let certificate = ServerCertificate::new(&cert, &key).expect("the coordinator's certificate");
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let inner = Inner { here: BTreeMap::new(), heard: Vec::new(), scribe: Scribe::of(region), grudge: None };
        let mail = Arc::new(Mail { inner: Mutex::new(inner), came: Condvar::new() });
        let rooms = mail.clone();
        runtime.spawn(async move {
            serve(listener, &ca, &certificate, rooms, std::future::pending()).await.expect("it listens");
        });
        Self { mail, runtime: Some(runtime) }
    }

    /// Sends a node something.
    ///
    /// # Panics
    /// When it is not connected.
    #[track_caller]
    pub fn send(&self, node: &Name, item: ToNode) {
        let inner = self.mail.inner();
        let sender = inner.here.get(node).unwrap_or_else(|| panic!("{node} has never connected"));
        sender.send(item).unwrap_or_else(|_| panic!("{node} is not connected"));
    }

    /// Sends a node a message of a round.
    ///
    /// # Panics
    /// When the node is not connected, or the bytes are of no known kind.
    #[track_caller]
    pub fn message(&self, node: &Name, bytes: Vec<u8>) {
        self.send(node, ToNode::Round(RoundMessage::new(bytes).expect("a message of a known kind")));
    }

    /// The offer of a question to all nodes, as its log asks it.
    pub fn asks(&self, question: &SignedRequest, deadline: u64) -> Offer {
        self.mail.inner().scribe.asks(question, deadline)
    }

    /// From now on it takes no node's log, and says this.
    pub fn takes_no_logs(&self, says: Failure) {
        self.mail.inner().grudge = Some(says);
    }

    /// Ends a node's connection: it will make another.
    pub fn hang_up(&self, node: &Name) {
        self.mail.inner().here.remove(node);
    }

    /// How much has been heard so far.
    pub fn moment(&self) -> usize {
        self.mail.inner().heard.len()
    }

    /// Everything heard since a moment.
    pub fn since(&self, moment: usize) -> Vec<Heard> {
        self.mail.inner().heard[moment..].to_vec()
    }

    /// Waits until `found` finds something in all that was heard.
    ///
    /// # Panics
    /// When it does not within seconds, saying what was waited for.
    #[track_caller]
    pub fn wait<T>(&self, what: &str, mut found: impl FnMut(&[Heard]) -> Option<T>) -> T {
        let start = Instant::now();
        let mut inner = self.mail.inner();
        loop {
            if let Some(found) = found(&inner.heard) {
                return found;
            }
            let left = SOON.checked_sub(start.elapsed()).unwrap_or_else(|| panic!("not within {SOON:?}: {what}"));
            inner = self.mail.came.wait_timeout(inner, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Evil {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Mail {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, node: Name, word: Word) {
        self.inner().heard.push(Heard { node, word });
        self.came.notify_all();
    }
}

impl Registry for Mail {
    fn identify(&self, id: &SpiffeId, _: &[u8; 32]) -> Option<Caller> {
        let node = id.kind == Kind::Node;
        Some(Caller { name: id.name.parse().ok()?, roles: node.then_some(Role::Node).into_iter().collect() })
    }
}

impl Rooms for Mail {
    fn attend(self: &Arc<Self>, caller: Caller, _: Hello) -> Items<ToNode> {
        let (to_node, items) = unbounded_channel();
        self.inner().here.insert(caller.name.clone(), to_node);
        self.hear(caller.name, Word::Here);
        Box::pin(UnboundedReceiverStream::new(items))
    }

    async fn answer(&self, caller: Caller, id: Digest, answer: Received) -> Result<(), Failure> {
        let word = match answer {
            Received::Ready(terms) => Word::Ready(id, terms),
            Received::Refusal(reason) => Word::Refused(id, reason),
            Received::Release(..) | Received::Quote(_) | Received::Progress(_) => Word::Other(id),
        };
        self.hear(caller.name, word);
        Ok(())
    }

    async fn deliver(&self, caller: Caller, message: RoundMessage) -> Result<(), Failure> {
        self.hear(caller.name, Word::Message(message.bytes().to_vec()));
        Ok(())
    }

    async fn deposit(&self, caller: Caller, deposit: Deposit) -> Result<Deposited, Failure> {
        let mut inner = self.inner();
        match &inner.grudge {
            Some(grudge) => Err(grudge.clone()),
            None => Ok(inner.scribe.cosign(caller.name, &deposit)),
        }
    }

    fn retrieve(&self, _: Caller) -> Result<Retrieved, Failure> {
        Err(nothing())
    }

    fn cosign(&self, _: Caller, _: u64, _: String) -> Result<(), Failure> {
        Ok(())
    }

    async fn renew(&self, _: Caller, _: RenewAsk) -> Result<String, Failure> {
        Err(nothing())
    }

    async fn evidence(&self, _: Caller) -> Result<Items<Vec<u8>>, Failure> {
        Err(nothing())
    }

    async fn create_table(&self, _: Caller, _: Ask) -> Result<Asked, Failure> {
        Err(nothing())
    }

    fn table(&self, _: &str) -> Result<Table, Failure> {
        Err(nothing())
    }

    fn tables(&self, _: Option<Digest>, _: usize) -> Result<Vec<Table>, Failure> {
        Err(nothing())
    }

    fn watch(self: &Arc<Self>, _: Digest) -> Result<Items<Table>, Failure> {
        Err(nothing())
    }

    fn nodes(&self) -> Vec<NodeStatus> {
        Vec::new()
    }

    fn roster(&self) -> Vec<u8> {
        Vec::new()
    }
}

fn nothing() -> Failure {
    Failure::NotFound("there is nothing here".to_owned())
}
