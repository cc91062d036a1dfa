//! One certified caller that asks as fast as it can, over eight connections.

use super::Ground;
use super::papers::Papers;
use koonti_proto::edge::dial::dial_mutual;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// What one caller may look at once, and each minute: as the coordinator has it.
const BURST: u64 = 1200;
const PER_MINUTE: u64 = 600;
const LASTS: Duration = Duration::from_secs(4);

async fn roster(channel: &Channel) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.map_err(|e| Status::from_error(e.into()))?;
    let codec = tonic_prost::ProstCodec::<(), ()>::default();
    grpc.unary(Request::new(()), super::raw::ROSTER.parse().expect("a path"), codec).await.map(drop)
}

/// The flooder gets what one caller may have, and after that a word on when to come
/// again; `koonti` under the same name waits for that and is served. The probe, which
/// calls all the while, is neither slowed down nor told to be.
pub(crate) fn one_caller_is_throttled_alone(ground: &mut Ground) {
    let Papers { ca, cert, key } = Papers::of_keys(&ground.region.home("tulva"));
    let (served, throttled, longest_ms) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let url = ground.region.main_url();
    let began = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let one = async || {
            let channel = dial_mutual(&url, &ca, &cert, &key).expect("a channel");
            while began.elapsed() < LASTS {
                match roster(&channel).await {
                    Ok(()) => served.fetch_add(1, Ordering::SeqCst),
                    Err(status) if status.code() == Code::ResourceExhausted => {
                        let hint = status.get_details_retry_info().and_then(|info| info.retry_delay);
                        let hint = u64::try_from(hint.expect("a hint").as_millis()).expect("small");
                        longest_ms.fetch_max(hint, Ordering::SeqCst);
                        throttled.fetch_add(1, Ordering::SeqCst)
                    }
                    Err(status) => panic!("{status:?}"),
                };
            }
        };
        tokio::join!(one(), one(), one(), one(), one(), one(), one(), one());
    });
    let (served, throttled) = (served.into_inner(), throttled.into_inner());
    println!("flood: {served} calls served, {throttled} throttled in {:?}", began.elapsed());
    let most = BURST + PER_MINUTE * (began.elapsed().as_secs() + 1) / 60;
    assert!((BURST..=most).contains(&served), "{served} calls served");
    assert!(throttled > served, "{throttled} calls throttled");
    assert!((1..=100).contains(&longest_ms.into_inner()), "the next is due within a tenth of a second");
    let listed = ground.region.person("tulva").words("nodes list --output json").ok().json();
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
}
