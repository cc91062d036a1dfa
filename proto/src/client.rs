//! The doors on the dialling side: nodes, people and newcomers.
//!
//! Promises: every unary call has a deadline; a call that never left is
//! repeated once (the connection had aged); a release goes out only as a
//! `SignedRelease`; a caller that is told to slow down waits as long as it is told and
//! tries again, for up to a minute. Reconnecting with backoff is the caller's business:
//! an ended stream is an ordinary event.

use crate::convert::answer_message;
use crate::credentials::Credentials;
use crate::edge::dial::{Route, dial_pinned, was_never_sent};
use crate::edge::pki::{Kind, new_key_and_csr};
use crate::edge::server::MAX_MESSAGE_BYTES;
use crate::failure::Failure;
use crate::server::Items;
use crate::token::Token;
use crate::v1;
use crate::v1::certificate_service_client::CertificateServiceClient;
use crate::v1::enrolment_service_client::EnrolmentServiceClient;
use crate::v1::evidence_service_client::EvidenceServiceClient;
use crate::v1::node_service_client::NodeServiceClient;
use crate::v1::table_service_client::TableServiceClient;
use crate::wire::{Answer, Ask, Asked, Deposit, Deposited, Hello, NodeStatus, Retrieved, RoundMessage, Table, ToNode};
use koonti_disclosure::identity::IdentityKey;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, Name};
use ring::rand::{SecureRandom as _, SystemRandom};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio_stream::StreamExt;
use tonic::transport::Channel;
use tonic::{Request, Status};

/// Longest a unary call may take. A quote waits for nodes; everything else is
/// faster.
const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// Longest that a call is tried again because the coordinator asks to slow down.
const PATIENCE: Duration = Duration::from_secs(60);

/// A node's side of its connection. Clones share it, also when it is made anew.
#[derive(Clone)]
pub struct NodeLink {
    route: Route,
    channel: Arc<RwLock<Channel>>,
}

/// A person's side of a connection.
#[derive(Clone)]
pub struct PeopleLink(TableServiceClient<Channel>);

impl NodeLink {
    /// Prepares a connection; it is made at the first call.
    ///
    /// # Errors
    /// When the address or the credentials cannot be used.
    pub fn new(to: impl Into<Route>, credentials: &Credentials) -> Result<Self, Failure> {
        let route = to.into();
        Ok(Self { channel: Arc::new(RwLock::new(credentials.dial(route.clone())?)), route })
    }

    /// Calls begun from now on go over a new connection with these credentials. What is
    /// under way on the old one goes on there.
    ///
    /// # Errors
    /// When the credentials cannot be used; the old connection then stays.
    pub fn dial_anew(&self, credentials: &Credentials) -> Result<(), Failure> {
        let channel = credentials.dial(self.route.clone())?;
        *self.channel.write().unwrap_or_else(PoisonError::into_inner) = channel;
        Ok(())
    }

    fn client(&self) -> NodeServiceClient<Channel> {
        let channel = self.channel.read().unwrap_or_else(PoisonError::into_inner).clone();
        NodeServiceClient::new(channel).max_encoding_message_size(MAX_MESSAGE_BYTES)
    }

    /// Announces the node and returns what the coordinator has for it, for as
    /// long as the connection lives.
    ///
    /// # Errors
    /// When the coordinator cannot be reached or does not know the node.
    pub async fn attend(&self, hello: Hello) -> Result<Items<Result<ToNode, Failure>>, Failure> {
        let message = v1::AttendRequest::from(hello);
        let response = tokio::time::timeout(CALL_TIMEOUT, begin(message, |m| async { self.client().attend(m).await }))
            .await
            .map_err(|_| Failure::Unavailable("no answer in time".to_owned()))??;
        let items = response.into_inner().map(|item| item.map_err(Failure::from)?.try_into());
        Ok(Box::pin(items))
    }

    /// Delivers an answer. On success the coordinator holds it durably.
    ///
    /// # Errors
    /// When it cannot be delivered; the same answer may be sent again.
    pub async fn answer(&self, request_id: Digest, answer: &Answer) -> Result<(), Failure> {
        let message = answer_message(request_id, answer);
        call(message, |m| async { self.client().answer(m).await }).await?;
        Ok(())
    }
}

impl NodeLink {
    /// Delivers a message of a regional round. On success the coordinator holds it
    /// durably.
    ///
    /// # Errors
    /// When it cannot be delivered; the same message may be sent again.
    pub async fn deliver(&self, message: &RoundMessage) -> Result<(), Failure> {
        let message = v1::DeliverRequest { round_message: message.bytes().to_vec() };
        call(message, |m| async { self.client().deliver(m).await }).await?;
        Ok(())
    }
}

impl NodeLink {
    /// Deposits entries of this node's log.
    ///
    /// # Errors
    /// When it cannot be delivered; the same deposit may be sent again.
    pub async fn deposit(&self, deposit: Deposit) -> Result<Deposited, Failure> {
        let message = v1::DepositRequest::from(deposit);
        Ok(call(message, |m| async { self.client().deposit(m).await }).await?.into())
    }

    /// This node's own log, as the coordinator has cosigned it: the checkpoint and the
    /// entries. Nothing of it is checked here.
    ///
    /// # Errors
    /// When the coordinator cannot be reached.
    pub async fn retrieve(&self) -> Result<Retrieved, Failure> {
        let pieces = begin(v1::RetrieveRequest {}, |m| async move { self.client().retrieve(m).await }).await?;
        let mut pieces = pieces.into_inner();
        let mut retrieved = Retrieved::default();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if retrieved.checkpoint.is_empty() {
                retrieved.checkpoint = piece.checkpoint;
            }
            retrieved.entries.extend(piece.entries);
            retrieved.named.extend(piece.named);
        }
        Ok(retrieved)
    }

    /// Cosigns the coordinator's checkpoint of this size.
    ///
    /// # Errors
    /// When it cannot be delivered or is not taken.
    pub async fn cosign(&self, size: u64, signature: &str) -> Result<(), Failure> {
        let message = v1::CosignRequest { size, signature: signature.as_bytes().to_vec() };
        call(message, |m| async { self.client().cosign(m).await }).await?;
        Ok(())
    }
}

impl PeopleLink {
    /// Prepares a connection; it is made at the first call.
    ///
    /// # Errors
    /// When the address or the credentials cannot be used.
    pub fn new(to: impl Into<Route>, credentials: &Credentials) -> Result<Self, Failure> {
        Ok(Self(TableServiceClient::new(credentials.dial(to)?).max_decoding_message_size(MAX_MESSAGE_BYTES)))
    }

    /// Asks for a table or a quote.
    ///
    /// # Errors
    /// When the coordinator refuses or cannot be reached.
    pub async fn ask(&self, ask: Ask) -> Result<Asked, Failure> {
        let message = v1::CreateTableRequest::from(ask);
        let m = call(message, |m| async { self.0.clone().create_table(m).await }).await?;
        match m.table {
            Some(table) => Ok(Asked::Table(Box::new(self.whole(table).await?), m.repeat)),
            None => Ok(Asked::Quote {
                quotes: m.quotes.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?,
                unreachable: m.unreachable.iter().map(|n| parsed(n)).collect::<Result<_, _>>()?,
                expected_withheld_percent: m.expected_withheld_percent,
                lone_cells: m.lone_cells,
            }),
        }
    }

    /// Reads the table whose id begins with these hex digits.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub async fn table(&self, id: &str) -> Result<Table, Failure> {
        let message = v1::GetTableRequest { id: id.to_owned() };
        let m = call(message, |m| async { self.0.clone().get_table(m).await }).await?;
        self.whole(m.table.ok_or_else(absent)?).await
    }

    /// A table with its figures, which do not fit every message.
    async fn whole(&self, mut table: v1::Table) -> Result<Table, Failure> {
        if table.published.is_empty() && table.published_bytes > 0 {
            let message = v1::ReadTableRequest { id: table.id.clone() };
            let mut chunks = begin(message, |m| async { self.0.clone().read_table(m).await }).await?.into_inner();
            while let Some(chunk) = chunks.next().await {
                table.published.extend_from_slice(&chunk?.chunk);
            }
            if table.published.len() as u64 != table.published_bytes {
                return Err(Failure::Unavailable("the table was cut off".to_owned()));
            }
        }
        table.try_into()
    }

    /// Lists all tables, newest first, without their figures.
    ///
    /// # Errors
    /// When the coordinator cannot be reached.
    pub async fn tables(&self) -> Result<Vec<Table>, Failure> {
        let mut tables = Vec::new();
        let mut page_token = String::new();
        loop {
            let message = v1::ListTablesRequest { page_size: 200, page_token };
            let m = call(message, |m| async { self.0.clone().list_tables(m).await }).await?;
            for table in m.tables {
                tables.push(table.try_into()?);
            }
            page_token = m.next_page_token;
            if page_token.is_empty() {
                return Ok(tables);
            }
        }
    }

    /// Follows a table until it is published.
    ///
    /// # Errors
    /// When there is none, or the coordinator cannot be reached.
    pub async fn watch(&self, id: Digest) -> Result<Items<Result<Table, Failure>>, Failure> {
        let message = v1::WatchTableRequest { id: id.0.to_vec() };
        let response = begin(message, |m| async { self.0.clone().watch_table(m).await }).await?;
        let link = self.clone();
        let items = response.into_inner().then(move |item| {
            let link = link.clone();
            async move { link.whole(item.map_err(Failure::from)?.table.ok_or_else(absent)?).await }
        });
        Ok(Box::pin(items))
    }

    /// Lists the region's nodes.
    ///
    /// # Errors
    /// When the coordinator cannot be reached.
    pub async fn nodes(&self) -> Result<Vec<NodeStatus>, Failure> {
        let m = call(v1::ListNodesRequest {}, |m| async { self.0.clone().list_nodes(m).await }).await?;
        m.nodes.into_iter().map(TryInto::try_into).collect()
    }

    /// Reads the signed roster in force; empty when there is none.
    ///
    /// # Errors
    /// When the coordinator cannot be reached.
    pub async fn roster(&self) -> Result<Vec<u8>, Failure> {
        let m = call(v1::GetRosterRequest {}, |m| async { self.0.clone().get_roster(m).await }).await?;
        Ok(m.signed_roster)
    }
}

impl PeopleLink {
    /// What time the coordinator has, Unix seconds.
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or does not know the caller.
    pub async fn clock(&self) -> Result<u64, Failure> {
        Ok(call(v1::GetRosterRequest {}, |m| async { self.0.clone().get_roster(m).await }).await?.time)
    }
}

/// An auditor's side of a connection.
#[derive(Clone)]
pub struct EvidenceLink(EvidenceServiceClient<Channel>);

impl EvidenceLink {
    /// Prepares a connection; it is made at the first call.
    ///
    /// # Errors
    /// When the address or the credentials cannot be used.
    pub fn new(to: impl Into<Route>, credentials: &Credentials) -> Result<Self, Failure> {
        Ok(Self(EvidenceServiceClient::new(credentials.dial(to)?).max_decoding_message_size(MAX_MESSAGE_BYTES)))
    }

    /// The evidence of the region, in pieces.
    ///
    /// # Errors
    /// When the coordinator refuses or cannot be reached.
    pub async fn fetch(&self) -> Result<Items<Result<Vec<u8>, Failure>>, Failure> {
        let response =
            begin(v1::FetchEvidenceRequest {}, |m| async move { self.0.clone().fetch_evidence(m).await }).await?;
        Ok(Box::pin(response.into_inner().map(|piece| Ok(piece.map_err(Failure::from)?.chunk))))
    }
}

/// Takes up an invitation: sends the CSR to the coordinator whose CA the token
/// pins. Returns the certificate chain and the CA, in PEM.
///
/// # Errors
/// When the coordinator is not the one of the token, or refuses.
pub async fn enroll(
    to: impl Into<Route>,
    token: &Token,
    csr_pem: &str,
    identity: &IdentityKey,
    logs: Option<&LogKeys>,
) -> Result<(String, String), Failure> {
    let (channel, pinned) = dial_pinned(to, token.ca_sha256.0)?;
    let message = v1::EnrollRequest {
        kind: match token.kind {
            Kind::Node => "node".to_owned(),
            Kind::Person => "person".to_owned(),
        },
        name: token.name.to_string(),
        secret: token.secret.to_string(),
        csr_pem: csr_pem.to_owned(),
        identity: identity.public().0.to_vec(),
        proof: identity.sign_enrolment(csr_pem, logs).to_vec(),
        log: logs.map(|keys| keys.log.0.to_vec()).unwrap_or_default(),
        witness: logs.map(|keys| keys.witness.0.to_vec()).unwrap_or_default(),
    };
    let m = call(message, |m| async { EnrolmentServiceClient::new(channel.clone()).enroll(m).await }).await?;
    let ca = pinned.cert_pem().ok_or_else(|| Failure::Unavailable("the coordinator showed no CA".to_owned()))?;
    Ok((m.certificate_pem, ca))
}

/// Has the certificate of `credentials` renewed: makes a key, sends a CSR with the identity
/// key's proof, and checks that what comes back is for the same name and the new key.
///
/// # Errors
/// When the coordinator cannot be reached, refuses, or answers with something else.
pub async fn renew(
    to: impl Into<Route>,
    credentials: &Credentials,
    identity: &IdentityKey,
) -> Result<Credentials, Failure> {
    let internal = |e: &dyn std::fmt::Display| Failure::Internal(format!("the new certificate cannot be used: {e}"));
    let (key_pem, csr_pem, _) = new_key_and_csr().map_err(|e| internal(&e))?;
    let channel = credentials.dial(to)?;
    let message = v1::RenewRequest { proof: identity.sign_renewal(&csr_pem).to_vec(), csr_pem };
    let m = call(message, |m| async { CertificateServiceClient::new(channel.clone()).renew(m).await }).await?;
    credentials.followed_by(key_pem, m.certificate_pem).map_err(|e| internal(&e))
}

/// One unary call with a deadline, repeated once if it never left.
async fn call<M: Clone, T, F>(message: M, send: impl Fn(Request<M>) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<tonic::Response<T>, Status>>,
{
    let request = || {
        let mut request = Request::new(message.clone());
        request.set_timeout(CALL_TIMEOUT);
        request
    };
    let once = || async {
        let answer = tokio::time::timeout(CALL_TIMEOUT, send(request())).await;
        answer.unwrap_or_else(|_| Err(Status::unavailable("no answer in time")))
    };
    let answer = patiently(|| async {
        match once().await {
            Err(status) if was_never_sent(&status) => once().await,
            answer => answer,
        }
    });
    Ok(answer.await?.into_inner())
}

/// The beginning of a stream.
async fn begin<M: Clone, T, F>(message: M, send: impl Fn(M) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Status>>,
{
    patiently(|| send(message.clone())).await
}

/// Tries again, after the time it is told, as long as it is told to slow down.
async fn patiently<T, F>(send: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Status>>,
{
    let began = Instant::now();
    loop {
        match send().await.map_err(Failure::from) {
            Err(Failure::SlowDown(after)) if began.elapsed() + after < PATIENCE => {
                tokio::time::sleep(after + jitter(after)).await;
            }
            answer => return answer,
        }
    }
}

/// Up to half as long again, so that calls told the same do not return together.
fn jitter(after: Duration) -> Duration {
    let mut byte = [0];
    // Without randomness they do.
    let _ = SystemRandom::new().fill(&mut byte);
    after / 2 * u32::from(byte[0]) / 256
}

fn absent() -> Failure {
    Failure::Internal("the answer has no table".to_owned())
}

fn parsed(name: &str) -> Result<Name, Failure> {
    name.parse().map_err(|_| Failure::Internal("the answer names a node that is none".to_owned()))
}
