//! The running node: dials out, listens on that one connection, works, answers.
//!
//! One thread works on questions, one at a time; answers leave on their tick.
//! The connection is made again with jittered backoff whenever it ends; the
//! coordinator then repeats every offer that is still unanswered, so an answer
//! that could not be delivered needs no queue of its own.

use crate::clock;
use crate::cosign;
use crate::deposit::{Deposits, Stop};
use crate::desk::{Desk, Next, tick};
use crate::error::Error;
use crate::inbox::{self, Done};
use crate::keys;
use crate::renewal;
use crate::rounds::Rounds;
use crate::sight::Sight;
use koonti_disclosure::{Codebook, Digest, Refusal};
use koonti_proto::wire::{Answer, Hello, Offer, RoundMessage, ToNode};
use koonti_proto::{Failure, NodeLink};
use koonti_watch::Door;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, Semaphore};
use tokio_stream::StreamExt;

/// How often the inbox is looked at.
const INBOX_EVERY: Duration = Duration::from_millis(300);
/// Longest wait between two attempts to connect.
const LONGEST_BACKOFF: Duration = Duration::from_secs(30);
/// How long a connection has to last before the next wait is the shortest one again.
const SETTLED: Duration = Duration::from_secs(2);
/// How often what is new in the log is deposited, if nothing else leaves.
const DEPOSIT_EVERY: Duration = Duration::from_millis(500);
/// How often one answer is tried before it is left to the next reconnect.
const DELIVERY_ATTEMPTS: u32 = 5;

/// Letters that are on their way at once; the coordinator holds four of the largest.
const MOST_UNDER_WAY: usize = 4;

/// Offers and messages that wait for the worker.
const MOST_WAITING: usize = 1024;

/// What the coordinator wants of the worker.
enum Work {
    Offer(Box<Offer>),
    Round(RoundMessage),
}

/// What goes out, and the moment at which it may leave.
struct Outgoing {
    /// Entries of the log that led to it: they are shown no earlier than it leaves.
    entries: u64,
    letter: Letter,
    at: Instant,
}

enum Letter {
    /// An answer to a question.
    Answer(Digest, Answer),
    /// Messages of a regional round, in this order.
    Round(Vec<RoundMessage>),
}

/// Runs until SIGINT or SIGTERM.
///
/// # Errors
/// When the disk fails, or the node cannot start.
pub(crate) async fn run(desk: Arc<Desk>) -> Result<(), Error> {
    let door = desk.config().metrics.map(Door::open).transpose()?;
    if desk.config().keys_in_state() {
        let keys = desk.config().keys.display();
        tracing::warn!(%keys, "the keys lie inside the state directory: leave them out of its backups, or stop the node, move them and name the new place in node.toml");
    }
    let link = NodeLink::new(desk.config().route(), &desk.keys().credentials)?;
    let deposits = Arc::new(Deposits::new(desk.clone(), link.clone())?);
    let anew = Notify::new();
    let sight = Arc::new(Sight::new(desk.clone(), deposits.clone()));
    if let Some(door) = door {
        tokio::spawn(door.serve(sight.clone()));
    }
    let (to_worker, work) = sync_channel::<Work>(MOST_WAITING);
    let (outgoing, to_send) = unbounded_channel();
    let (worker_desk, guard, seen) = (desk.clone(), deposits.clone(), sight.clone());
    let (worker_ended, mut ended) = unbounded_channel();
    std::thread::spawn(move || {
        let result = worker(&worker_desk, &guard, &seen, &work, &outgoing);
        // The receiver is gone only when the process is ending anyway.
        let _ = worker_ended.send(result);
    });
    tokio::select! {
        result = ended.recv() => result.unwrap_or_else(|| Err(Error::Refused("the worker has panicked: see the log".into()))),
        error = attend_for_ever(&desk, &link, &deposits, &sight, &to_worker, &anew) => Err(error),
        error = renewal::keep(&desk, &link, &anew) => Err(error),
        error = deliver(&link, &deposits, to_send) => Err(error),
        () = stop_signal() => { tracing::info!("stopping"); Ok(()) }
    }
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
}

/// Ends only when nothing may leave any more.
async fn attend_for_ever(
    desk: &Desk,
    link: &NodeLink,
    deposits: &Deposits,
    sight: &Sight,
    to_worker: &SyncSender<Work>,
    anew: &Notify,
) -> Error {
    let mut failures = 0u32;
    loop {
        let mut connected = None;
        match attend(desk, link, deposits, sight, to_worker, anew, &mut connected).await {
            Ok(()) => tracing::info!("the connection has ended; connecting again"),
            Err(Stop::State(error)) => return error,
            Err(Stop::Failure(failure @ Failure::Revoked(_))) => tracing::error!(%failure, "not let in; trying again"),
            Err(Stop::Failure(Failure::Denied(_))) => {
                tracing::warn!("the coordinator does not know this node yet: its roster must list it; trying again");
            }
            Err(Stop::Failure(failure)) => tracing::warn!(%failure, "not connected; trying again"),
            Err(Stop::Clocks) => return Error::Clocks,
        }
        failures = failures_after(failures, connected.map(|since: Instant| since.elapsed()));
        tokio::select! {
            () = tokio::time::sleep(backoff(failures)) => {}
            // What was refused with the old certificate may be granted to the new one.
            () = anew.notified() => {}
        }
    }
}

/// A node that was let in, and stayed a moment, begins again with the shortest wait.
fn failures_after(failures: u32, stayed: Option<Duration>) -> u32 {
    if stayed.is_some_and(|stayed| stayed >= SETTLED) { 0 } else { failures.saturating_add(1) }
}

/// 0.25 s doubling up to 30 s, with a jitter of half.
fn backoff(failures: u32) -> Duration {
    let full = Duration::from_millis(250 << failures.min(7)).min(LONGEST_BACKOFF);
    let jitter = keys::random().map_or(0, |bytes| u64::from(bytes[0]));
    full / 2 + full * u32::try_from(jitter).unwrap_or(0) / 512
}

async fn attend(
    desk: &Desk,
    link: &NodeLink,
    deposits: &Deposits,
    sight: &Sight,
    to_worker: &SyncSender<Work>,
    anew: &Notify,
    connected: &mut Option<Instant>,
) -> Result<(), Stop> {
    // Before anything else: is this the log that the coordinator knows?
    let first = !deposits.confirmed();
    deposits.renew().await;
    deposits.level(0).await?;
    if first {
        // Nothing is computed yet, so everything may be shown.
        desk.fix_seeds()?;
        deposits.show();
        deposits.level(0).await?;
        deposits.confirm();
    }
    let mut items = link.attend(hello(desk)?).await?;
    let _connected = sight.connected();
    tracing::info!("connected to the coordinator");
    *connected = Some(Instant::now());
    loop {
        let item = tokio::select! {
            item = items.next() => item,
            () = anew.notified() => {
                // The coordinator ends the old stream once it has the new one: nothing that
                // it had put into the old one is lost.
                items = Box::pin(items.chain(link.attend(hello(desk)?).await?));
                tracing::info!("connected to the coordinator with the new certificate");
                continue;
            }
        };
        let Some(item) = item else { return Ok(()) };
        match item {
            Ok(ToNode::Offer(offer)) => {
                // A full queue ends the connection; the offers come again with the next.
                if to_worker.try_send(Work::Offer(offer)).is_err() {
                    return Ok(());
                }
            }
            Ok(ToNode::Round(message)) => {
                if to_worker.try_send(Work::Round(message)).is_err() {
                    return Ok(());
                }
            }
            Ok(ToNode::Roster(bytes)) => match desk.offer_roster(&bytes) {
                Ok(Some(hash)) => {
                    tracing::info!(roster = %hash.short(), "a new roster waits: `koonti-node roster approve`");
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "a roster was refused"),
            },
            Ok(ToNode::Glimpse(glimpse)) => {
                if let Some((size, signature)) = cosign::cosign(desk, &glimpse)? {
                    link.cosign(size, &signature).await?;
                }
            }
            // What this version cannot parse it cannot answer; the offer stays open.
            Err(Failure::Invalid(what)) => tracing::warn!(%what, "an offer was not understood: upgrade this node?"),
            Err(failure) => return Err(failure.into()),
        }
    }
}

/// How the node announces itself.
fn hello(desk: &Desk) -> Result<Hello, Error> {
    let version = env!("CARGO_PKG_VERSION").to_owned();
    Ok(Hello { version, codebook: Codebook::built_in().hash(), witnessed: cosign::witnessed(desk)? })
}

/// Nothing leaves before the coordinator holds and has cosigned what led to it. Ends
/// only when nothing may leave any more.
async fn deliver(link: &NodeLink, deposits: &Arc<Deposits>, mut to_send: UnboundedReceiver<Outgoing>) -> Error {
    let (stopped, mut stop) = unbounded_channel();
    let under_way = Arc::new(Semaphore::new(MOST_UNDER_WAY));
    let mut often = tokio::time::interval(DEPOSIT_EVERY);
    often.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let outgoing = tokio::select! {
            Some(error) = stop.recv() => return error,
            _ = often.tick(), if deposits.confirmed() => {
                // What the operator did is told without waiting for an answer to leave.
                match deposits.level(0).await {
                    Err(Stop::State(error)) => return error,
                    Err(Stop::Clocks) => return Error::Clocks,
                    Ok(()) | Err(Stop::Failure(_)) => {}
                }
                continue;
            }
            outgoing = to_send.recv() => outgoing,
        };
        let Some(outgoing) = outgoing else {
            // The worker has ended: it says itself why.
            return std::future::pending().await;
        };
        let (link, deposits, stopped) = (link.clone(), deposits.clone(), stopped.clone());
        let under_way = under_way.clone();
        tokio::spawn(async move {
            tokio::time::sleep_until(outgoing.at.into()).await;
            // Never closed.
            let Ok(_place) = under_way.acquire().await else { return };
            if !level(&deposits, outgoing.entries, &stopped).await {
                return;
            }
            match outgoing.letter {
                Letter::Answer(id, answer) => {
                    insist(|| link.answer(id, &answer)).await;
                }
                Letter::Round(messages) => {
                    for message in &messages {
                        if !insist(|| link.deliver(message)).await {
                            return;
                        }
                    }
                }
            }
        });
    }
}

/// Brings the coordinator's copy of the log level; false when that cannot be done.
async fn level(deposits: &Deposits, least: u64, stopped: &UnboundedSender<Error>) -> bool {
    for attempt in 1..=DELIVERY_ATTEMPTS {
        match deposits.level(least).await {
            Ok(()) => return true,
            Err(Stop::Failure(Failure::Unavailable(_) | Failure::SlowDown(_))) => {
                tokio::time::sleep(backoff(attempt)).await;
            }
            Err(Stop::Failure(failure)) => {
                tracing::warn!(%failure, "this node's log was not taken");
                return false;
            }
            Err(Stop::Clocks) => {
                drop(stopped.send(Error::Clocks));
                return false;
            }
            Err(Stop::State(error)) => {
                drop(stopped.send(error));
                return false;
            }
        }
    }
    false
}

/// Tries a delivery several times; false when it was refused or given up. The
/// coordinator asks again at the next reconnect.
async fn insist<F: Future<Output = Result<(), Failure>>>(send: impl Fn() -> F) -> bool {
    for attempt in 1..=DELIVERY_ATTEMPTS {
        match send().await {
            Ok(()) => return true,
            Err(Failure::Unavailable(_) | Failure::SlowDown(_)) => tokio::time::sleep(backoff(attempt)).await,
            Err(failure) => {
                tracing::warn!(%failure, "what this node sent was not taken");
                return false;
            }
        }
    }
    false
}

/// Works on offers, rounds and orders until the channel closes. An error here is
/// one of the disk: the process ends, and the next start resumes.
fn worker(
    desk: &Desk,
    deposits: &Deposits,
    sight: &Sight,
    work: &Receiver<Work>,
    outgoing: &UnboundedSender<Outgoing>,
) -> Result<(), Error> {
    let entries = || desk.store().books().tree().len();
    let post = |letter, at| drop(outgoing.send(Outgoing { entries: entries(), letter, at }));
    let send = |id, answer, at| post(Letter::Answer(id, answer), at);
    let mut resumed = false;
    let mut rounds = Rounds::new(desk);
    let mut looked = Instant::now();
    loop {
        // By the clock and not when idle: a flood of offers must not keep the
        // operator's orders waiting.
        deposits.show();
        sight.look();
        let item = work.recv_timeout(INBOX_EVERY);
        if !desk.agreed().holds() {
            // Nothing is stamped with a time in doubt. The next start asks the coordinator.
            return Err(Error::Clocks);
        }
        // Nothing comes before this log is known to be the newest.
        if deposits.confirmed() && !resumed {
            resume(desk, &send)?;
            resumed = true;
        }
        if looked.elapsed() >= INBOX_EVERY {
            orders(desk, resumed, &send)?;
            if resumed {
                desk.fix_seeds()?;
            }
            rounds.expire()?;
            looked = Instant::now();
        }
        let offer = match item {
            Ok(Work::Offer(offer)) => offer,
            Ok(Work::Round(message)) => {
                let letters = rounds.take(&message)?;
                if let Some((id, refusal)) = letters.refusal {
                    send(id, Answer::Refusal(refusal), letters.at);
                }
                if !letters.messages.is_empty() {
                    post(Letter::Round(letters.messages), letters.at);
                }
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
            Err(RecvTimeoutError::Timeout) => continue,
        };
        let request = offer.request.request();
        let (id, at) = (request.id(), Instant::now() + tick(request));
        if offer.quote_only {
            send(id, Answer::Quote(desk.quote(&offer)), at);
            continue;
        }
        match desk.receive(&offer)? {
            Next::Answer(answer) => send(id, answer, at),
            Next::Compute => compute(desk, id, &send)?,
        }
    }
}

/// Takes up what a stop has cut short, once it is known that this log is the newest.
fn resume(desk: &Desk, send: &impl Fn(Digest, Answer, Instant)) -> Result<(), Error> {
    desk.destroy()?;
    let resumed = desk.resume()?;
    if resumed > 0 {
        tracing::info!(resumed, "finished what a stop had cut short");
    }
    for id in desk.approved() {
        compute(desk, id, send)?;
    }
    Ok(())
}

/// Works off what the operator has ordered; questions only once `resumed`.
fn orders(desk: &Desk, resumed: bool, send: &impl Fn(Digest, Answer, Instant)) -> Result<(), Error> {
    if resumed {
        desk.close_what_is_over()?;
    }
    if !resumed && clock::leaps(desk.store().books().fold.time) {
        // They wait until the coordinator's clock has said the same.
        return Ok(());
    }
    for done in inbox::work_off(desk.config(), desk.store())? {
        match done {
            Done::Compute(id) if resumed => compute(desk, id, send)?,
            Done::Compute(_) => {}
            Done::Declined(id) => send(id, Answer::Refusal(Refusal::DeclinedByPerson), Instant::now()),
            Done::Roster => desk.reload_roster()?,
            Done::Nothing => {}
        }
    }
    Ok(())
}

fn compute(desk: &Desk, id: Digest, send: &impl Fn(Digest, Answer, Instant)) -> Result<(), Error> {
    let began = Instant::now();
    let request = {
        let books = desk.store().books();
        let question = books.fold.questions.get(&id).and_then(|k| k.question.as_ref());
        question.and_then(koonti_evidence::entry::node::Question::signed)
    };
    let Some(signed) = request else { return Ok(()) };
    let answer = desk.compute(id)?;
    if let Answer::Ready(_) = answer {
        // No record was read for it.
        send(id, answer, began);
        return Ok(());
    }
    let tick = tick(signed.request());
    let mut at = began + tick;
    while at < Instant::now() {
        tracing::warn!("an answer was not ready on its tick: this machine is too slow or too busy for its register");
        at += tick;
    }
    send(id, answer, at);
    // Nothing else is begun before: the next answer would tell how long this one took.
    std::thread::sleep(at.saturating_duration_since(Instant::now()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_failures_and_begin_anew_once_a_connection_was_good() {
        let few = Duration::from_millis(1900);
        // Never let in, or put out at once: longer and longer, never more than the longest.
        let failed = (0..10).fold(0, |failures, n| failures_after(failures, (n % 2 == 0).then_some(few)));
        assert_eq!(failed, 10);
        for failures in 0..40 {
            let wait = backoff(failures);
            let full = Duration::from_millis(250 << failures.min(7)).min(LONGEST_BACKOFF);
            assert!(full / 2 <= wait && wait <= full, "{failures}: {wait:?}");
        }
        assert!(backoff(failed) >= LONGEST_BACKOFF / 2);
        // However often the coordinator has been stopped in good order.
        assert_eq!(failures_after(failed, Some(SETTLED)), 0);
        assert!(backoff(0) <= Duration::from_millis(250));
    }
}
