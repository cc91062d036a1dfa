//! The coordinator's doors: traits in domain types, and the adapters that
//! implement the generated services with them.
//!
//! Promises: no method of a trait is reached unless the access table allows the
//! caller ([`crate::access`]) and the caller's limits do; messages are parsed before, and
//! bounded in size.

use crate::access::{Caller, Registry};
use crate::convert::{digest, round_message};
use crate::edge::pki::Kind;
use crate::edge::server::{Error, MAX_MESSAGE_BYTES, Peer, ServerCertificate, serve_mutual};
use crate::failure::Failure;
use crate::gate::{Gate, Members, Newcomers};
use crate::throttle::Throttle;
use crate::v1;
use crate::v1::certificate_service_server::{CertificateService, CertificateServiceServer};
use crate::v1::enrolment_service_server::{EnrolmentService, EnrolmentServiceServer};
use crate::v1::evidence_service_server::{EvidenceService, EvidenceServiceServer};
use crate::v1::node_service_server::{NodeService, NodeServiceServer};
use crate::v1::table_service_server::{TableService, TableServiceServer};
use crate::wire::{
    Ask, Asked, Deposit, Deposited, Hello, NodeStatus, Received, Retrieved, RoundMessage, Table, ToNode,
};
use koonti_disclosure::identity::check_enrolment;
use koonti_disclosure::roster::LogKeys;
use koonti_disclosure::{Digest, Name};
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_stream::{Stream, StreamExt};
use tonic::service::Routes;
use tonic::{Request, Response, Status};

/// A stream of items for one caller.
pub type Items<T> = Pin<Box<dyn Stream<Item = T> + Send>>;

/// What the coordinator does for nodes and people.
pub trait Rooms: Registry {
    /// A node is here: rosters and offers flow until it leaves.
    fn attend(self: &Arc<Self>, caller: Caller, hello: Hello) -> Items<ToNode>;
    /// A node answers. Returns once the answer is durable.
    fn answer(&self, caller: Caller, id: Digest, answer: Received) -> impl Future<Output = Result<(), Failure>> + Send;
    /// A node delivers a message of a regional round. Returns once it is durable.
    fn deliver(&self, caller: Caller, message: RoundMessage) -> impl Future<Output = Result<(), Failure>> + Send;
    /// A node deposits entries of its log. Returns once they are durable and cosigned.
    fn deposit(&self, caller: Caller, deposit: Deposit) -> impl Future<Output = Result<Deposited, Failure>> + Send;
    /// A node's own log, as it was cosigned: the checkpoint and the entries.
    fn retrieve(&self, caller: Caller) -> Result<Retrieved, Failure>;
    /// A node cosigns the coordinator's checkpoint of this size with a signature line.
    fn cosign(&self, caller: Caller, size: u64, signature: String) -> Result<(), Failure>;
    /// A member wants a certificate for another key; returns the chain in PEM.
    fn renew(&self, caller: Caller, ask: RenewAsk) -> impl Future<Output = Result<String, Failure>> + Send;
    /// The evidence of the region, in pieces.
    fn evidence(&self, caller: Caller) -> impl Future<Output = Result<Items<Vec<u8>>, Failure>> + Send;
    /// A person asks.
    fn create_table(&self, caller: Caller, ask: Ask) -> impl Future<Output = Result<Asked, Failure>> + Send;
    /// The table whose id begins with these hex digits.
    fn table(&self, id: &str) -> Result<Table, Failure>;
    /// The tables after `after`, newest first, at most `most`.
    fn tables(&self, after: Option<Digest>, most: usize) -> Result<Vec<Table>, Failure>;
    /// The table each time a node has moved on.
    fn watch(self: &Arc<Self>, id: Digest) -> Result<Items<Table>, Failure>;
    /// All nodes.
    fn nodes(&self) -> Vec<NodeStatus>;
    /// The signed roster in force; empty when there is none.
    fn roster(&self) -> Vec<u8>;
}

/// What the coordinator does for newcomers.
pub trait EnrolmentRooms: Send + Sync + 'static {
    /// Exchanges a one-time secret and a CSR for a certificate chain in PEM.
    fn enroll(&self, ask: EnrolAsk) -> impl Future<Output = Result<String, Failure>> + Send;
}

/// A newcomer's request.
pub struct EnrolAsk {
    /// True for a node, false for a person.
    pub is_node: bool,
    /// The name it was invited under.
    pub name: Name,
    /// The invitation's secret.
    pub secret: Digest,
    /// The CSR in PEM.
    pub csr_pem: String,
    /// The Ed25519 identity key; its owner has signed the CSR with it.
    pub identity: Digest,
    /// The keys of a node's evidence; none for a person.
    pub logs: Option<LogKeys>,
}

/// A member's request for another certificate. The proof is not checked yet: only the
/// registry knows the member's identity key.
pub struct RenewAsk {
    /// True for a node, false for a person.
    pub is_node: bool,
    /// SHA-256 of the TLS key that the call is made with.
    pub by: Digest,
    /// The CSR in PEM.
    pub csr_pem: String,
    /// Its signature by the member's identity key.
    pub proof: [u8; 64],
}

/// Serves nodes and people over mutual TLS until `shutdown` resolves.
///
/// # Errors
/// When the listener cannot start.
pub async fn serve<R: Rooms>(
    listener: TcpListener,
    ca_pem: &str,
    certificate: &ServerCertificate,
    rooms: Arc<R>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    serve_mutual(listener, ca_pem, certificate, routes(rooms), shutdown).await
}

/// Serves newcomers until `shutdown` resolves.
///
/// # Errors
/// When the listener cannot start.
pub async fn serve_enrolment<R: EnrolmentRooms>(
    listener: TcpListener,
    certificate: &ServerCertificate,
    rooms: Arc<R>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let enrolment = EnrolmentServiceServer::new(Enrolment(rooms))
        .max_decoding_message_size(CERTIFICATE_BYTES)
        .max_encoding_message_size(CERTIFICATE_BYTES);
    let routes = Routes::new(Gate::new(enrolment, &Arc::new(Newcomers), &Throttle::new()));
    crate::edge::server::serve_enrolment(listener, certificate, routes, shutdown).await
}

fn routes<R: Rooms>(rooms: Arc<R>) -> Routes {
    let node = NodeServiceServer::new(Doors(rooms.clone()))
        .max_decoding_message_size(MAX_MESSAGE_BYTES)
        .max_encoding_message_size(MAX_MESSAGE_BYTES);
    let table = TableServiceServer::new(Doors(rooms.clone())).max_encoding_message_size(MAX_MESSAGE_BYTES);
    let evidence = EvidenceServiceServer::new(Doors(rooms.clone())).max_encoding_message_size(MAX_MESSAGE_BYTES);
    let certificate = CertificateServiceServer::new(Doors(rooms.clone()))
        .max_decoding_message_size(CERTIFICATE_BYTES)
        .max_encoding_message_size(CERTIFICATE_BYTES);
    let (members, throttle) = (Arc::new(Members(rooms)), Throttle::new());
    Routes::new(Gate::new(node, &members, &throttle))
        .add_service(Gate::new(table, &members, &throttle))
        .add_service(Gate::new(evidence, &members, &throttle))
        .add_service(Gate::new(certificate, &members, &throttle))
}

struct Doors<R>(Arc<R>);

struct Enrolment<R>(Arc<R>);

/// The caller that [`Gate`] has let in.
fn caller<T>(request: &Request<T>) -> Result<Caller, Status> {
    let caller = request.extensions().get::<Caller>();
    caller.cloned().ok_or_else(|| Failure::Denied("unknown caller".to_owned()).into())
}

#[tonic::async_trait]
impl<R: Rooms> NodeService for Doors<R> {
    type AttendStream = Items<Result<v1::AttendResponse, Status>>;
    type RetrieveStream = Items<Result<v1::RetrieveResponse, Status>>;

    async fn attend(&self, request: Request<v1::AttendRequest>) -> Result<Response<Self::AttendStream>, Status> {
        let caller = caller(&request)?;
        let hello = Hello::try_from(request.into_inner())?;
        let items = self.0.attend(caller, hello).map(|item| Ok(item.into()));
        Ok(Response::new(Box::pin(items)))
    }

    async fn answer(&self, request: Request<v1::AnswerRequest>) -> Result<Response<v1::AnswerResponse>, Status> {
        let caller = caller(&request)?;
        let (id, answer): (Digest, Received) = request.into_inner().try_into()?;
        self.0.answer(caller, id, answer).await?;
        Ok(Response::new(v1::AnswerResponse {}))
    }

    async fn deliver(&self, request: Request<v1::DeliverRequest>) -> Result<Response<v1::DeliverResponse>, Status> {
        let caller = caller(&request)?;
        self.0.deliver(caller, round_message(request.into_inner().round_message)?).await?;
        Ok(Response::new(v1::DeliverResponse {}))
    }

    async fn deposit(&self, request: Request<v1::DepositRequest>) -> Result<Response<v1::DepositResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.0.deposit(caller, request.into_inner().into()).await?.into()))
    }

    async fn retrieve(&self, request: Request<v1::RetrieveRequest>) -> Result<Response<Self::RetrieveStream>, Status> {
        let Retrieved { checkpoint, entries, named } = self.0.retrieve(caller(&request)?)?;
        let mut pieces = vec![v1::RetrieveResponse { checkpoint, ..Default::default() }];
        // An entry has at most 64 KiB, so that eight of them fit a message.
        let entries = entries.chunks(8).map(<[Vec<u8>]>::to_vec);
        pieces.extend(entries.map(|entries| v1::RetrieveResponse { entries, ..Default::default() }));
        let named = named.into_iter().map(|bytes| vec![bytes]);
        pieces.extend(named.map(|named| v1::RetrieveResponse { named, ..Default::default() }));
        Ok(Response::new(Box::pin(tokio_stream::iter(pieces.into_iter().map(Ok)))))
    }

    async fn cosign(&self, request: Request<v1::CosignRequest>) -> Result<Response<v1::CosignResponse>, Status> {
        let caller = caller(&request)?;
        let m = request.into_inner();
        let signature = String::from_utf8(m.signature);
        let signature = signature.map_err(|_| Failure::Invalid("the signature is malformed".to_owned()))?;
        self.0.cosign(caller, m.size, signature)?;
        Ok(Response::new(v1::CosignResponse {}))
    }
}

#[tonic::async_trait]
impl<R: Rooms> CertificateService for Doors<R> {
    async fn renew(&self, request: Request<v1::RenewRequest>) -> Result<Response<v1::RenewResponse>, Status> {
        let caller = caller(&request)?;
        let unknown = || Failure::Denied("unknown caller".to_owned());
        let Peer { id, spki_sha256 } = request.extensions().get::<Peer>().cloned().ok_or_else(unknown)?;
        let m = request.into_inner();
        let malformed = |_| Failure::Invalid("the proof is malformed".to_owned());
        let proof = m.proof.as_slice().try_into().map_err(malformed)?;
        let ask = RenewAsk { is_node: id.kind == Kind::Node, by: Digest(spki_sha256), csr_pem: m.csr_pem, proof };
        Ok(Response::new(v1::RenewResponse { certificate_pem: self.0.renew(caller, ask).await? }))
    }
}

#[tonic::async_trait]
impl<R: Rooms> EvidenceService for Doors<R> {
    type FetchEvidenceStream = Items<Result<v1::FetchEvidenceResponse, Status>>;

    async fn fetch_evidence(
        &self,
        request: Request<v1::FetchEvidenceRequest>,
    ) -> Result<Response<Self::FetchEvidenceStream>, Status> {
        let pieces = self.0.evidence(caller(&request)?).await?;
        let items = pieces.map(|chunk| Ok(v1::FetchEvidenceResponse { chunk }));
        Ok(Response::new(Box::pin(items)))
    }
}

#[tonic::async_trait]
impl<R: Rooms> TableService for Doors<R> {
    type ReadTableStream = Items<Result<v1::ReadTableResponse, Status>>;
    type WatchTableStream = Items<Result<v1::WatchTableResponse, Status>>;

    async fn create_table(
        &self,
        request: Request<v1::CreateTableRequest>,
    ) -> Result<Response<v1::CreateTableResponse>, Status> {
        let caller = caller(&request)?;
        let mut response = v1::CreateTableResponse::default();
        match self.0.create_table(caller, request.into_inner().try_into()?).await? {
            Asked::Table(table, repeat) => {
                response.table = Some((*table).into());
                response.repeat = repeat;
            }
            Asked::Quote { quotes, unreachable, expected_withheld_percent, lone_cells } => {
                response.lone_cells = lone_cells;
                response.quotes = quotes.into_iter().map(Into::into).collect();
                response.unreachable = unreachable.iter().map(ToString::to_string).collect();
                response.expected_withheld_percent = expected_withheld_percent;
            }
        }
        Ok(Response::new(response))
    }

    async fn get_table(&self, request: Request<v1::GetTableRequest>) -> Result<Response<v1::GetTableResponse>, Status> {
        let table = self.0.table(&request.into_inner().id)?;
        Ok(Response::new(v1::GetTableResponse { table: Some(table.into()) }))
    }

    async fn read_table(
        &self,
        request: Request<v1::ReadTableRequest>,
    ) -> Result<Response<Self::ReadTableStream>, Status> {
        let table = self.0.table(&digest(&request.into_inner().id)?.to_string())?;
        let chunks: Vec<_> = table.published.chunks(1 << 20).map(<[u8]>::to_vec).collect();
        let items = chunks.into_iter().map(|chunk| Ok(v1::ReadTableResponse { chunk }));
        Ok(Response::new(Box::pin(tokio_stream::iter(items))))
    }

    async fn list_tables(
        &self,
        request: Request<v1::ListTablesRequest>,
    ) -> Result<Response<v1::ListTablesResponse>, Status> {
        let page = request.into_inner();
        let most = if page.page_size == 0 { 50 } else { page.page_size.min(500) as usize };
        let after = match page.page_token.as_str() {
            "" => None,
            token => Some(token.parse().map_err(|_| Failure::Invalid("the page token is malformed".to_owned()))?),
        };
        let tables = self.0.tables(after, most)?;
        let next = tables.last().filter(|_| tables.len() == most).map(|t| t.request.id().to_string());
        Ok(Response::new(v1::ListTablesResponse {
            tables: tables.into_iter().map(|t| v1::Table { published: Vec::new(), ..t.into() }).collect(),
            next_page_token: next.unwrap_or_default(),
        }))
    }

    async fn watch_table(
        &self,
        request: Request<v1::WatchTableRequest>,
    ) -> Result<Response<Self::WatchTableStream>, Status> {
        let tables = self.0.watch(digest(&request.into_inner().id)?)?;
        let items = tables.map(|table| Ok(v1::WatchTableResponse { table: Some(table.into()) }));
        Ok(Response::new(Box::pin(items)))
    }

    async fn list_nodes(&self, _: Request<v1::ListNodesRequest>) -> Result<Response<v1::ListNodesResponse>, Status> {
        let nodes = self.0.nodes().into_iter().map(Into::into).collect();
        Ok(Response::new(v1::ListNodesResponse { nodes }))
    }

    async fn get_roster(&self, _: Request<v1::GetRosterRequest>) -> Result<Response<v1::GetRosterResponse>, Status> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let time = since.map_or(0, |since| since.as_secs());
        Ok(Response::new(v1::GetRosterResponse { signed_roster: self.0.roster(), time }))
    }
}

#[tonic::async_trait]
impl<R: EnrolmentRooms> EnrolmentService for Enrolment<R> {
    async fn enroll(&self, request: Request<v1::EnrollRequest>) -> Result<Response<v1::EnrollResponse>, Status> {
        let m = request.into_inner();
        let malformed = |what: &str| Failure::Invalid(format!("the {what} is malformed"));
        let ask = EnrolAsk {
            is_node: match m.kind.as_str() {
                "node" => true,
                "person" => false,
                _ => return Err(malformed("kind").into()),
            },
            name: m.name.parse().map_err(|_| malformed("name"))?,
            secret: m.secret.parse().map_err(|_| malformed("secret"))?,
            csr_pem: m.csr_pem,
            identity: digest(&m.identity)?,
            logs: match m.kind.as_str() {
                "node" => Some(LogKeys { log: digest(&m.log)?, witness: digest(&m.witness)? }),
                _ => None,
            },
        };
        let proof = m.proof.as_slice().try_into().map_err(|_| malformed("proof"))?;
        check_enrolment(&ask.csr_pem, ask.logs.as_ref(), proof, ask.identity).map_err(|_| malformed("proof"))?;
        let certificate_pem = self.0.enroll(ask).await?;
        Ok(Response::new(v1::EnrollResponse { certificate_pem }))
    }
}

/// More than any certificate and its request have, with what stands around them.
const CERTIFICATE_BYTES: usize = 64 * 1024;
