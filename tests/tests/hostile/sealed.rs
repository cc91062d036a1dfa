//! What stays sealed, by arithmetic: the late figures of a node that was dropped,
//! and those of a round that was given up and retried.

use crate::arithmetic::{Open, add, interpolate, words};
use crate::ground::{ALL, Ground};
use crate::play::{Play, adverts};
use crate::victim::{retry, stopped};
use koonti_disclosure::abort::Certificate;
use koonti_disclosure::{Digest, Refusal};
use koonti_secagg::Abort;
use koonti_secagg::coordinator::Phase;
use koonti_secagg::message::{Chunk, Kind, Released, Survivors, Unmask};
use std::collections::BTreeSet;

pub(crate) const CASES: usize = 5;

/// Figures and noise of five nodes with 240 clients are far below; a uniform word
/// is below with probability 1/1024.
const SMALL: i32 = 1 << 21;

#[test]
fn what_was_not_opened_stays_sealed() {
    let mut ground = Ground::new();
    late_figures_of_a_dropped_node(&mut ground);
    one_retry_and_no_second(&mut ground);
    ground.end(CASES);
}

/// The masked input of a node as words.
fn figures(ground: &Ground, place: u16, round: Digest) -> Vec<u32> {
    let bytes = ground.hear(place, round, Kind::Chunk);
    words(Chunk::parse(&bytes).expect("a chunk").1.bytes)
}

/// How many of these words could be figures.
fn small(words: &[u32]) -> usize {
    words.iter().filter(|word| word.cast_signed().unsigned_abs() < SMALL.unsigned_abs()).count()
}

/// The victim's masked input comes late, when its mask key has been opened.
fn late_figures_of_a_dropped_node(ground: &mut Ground) {
    let (victim, others) = (2, [0, 1, 3, 4]);
    let mut play = ground.round();
    play.run_to(ground, Phase::Masked, &ALL);
    let open = Open::new(play.id, ground.roster.hash(), &adverts(ground, &play), &ALL);
    ground.attack("12: a node's figures are held back, and it is dropped");
    let inbox = play.ready(ground, victim);
    ground.tell(victim, inbox);
    play.phase(ground, &others);
    play.phase(ground, &others);
    // It is told that it has survived, in the hope of its own share.
    ground.tell(victim, Survivors(ALL.to_vec()).message(play.id));
    ground.hear(victim, play.id, Kind::Confirm);
    let all = [play.confirmations(ground, &others), play.confirmations(ground, &ALL)];
    ground.leaves_over(victim, all[1].clone(), play.id, Abort::TooFewConfirmations);
    play.phase(ground, &others);

    let unmasks = others.map(|place| Unmask::parse(&ground.hear(place, play.id, Kind::Unmask)).expect("shares").1);
    let shares = |of: &dyn Fn(&Unmask) -> &[Released], dealer: u16| {
        let share = |(holder, unmask): (&u16, &Unmask)| {
            let mut all = of(unmask).iter();
            (*holder, all.find(|(place, _)| *place == dealer).expect("a share").1)
        };
        interpolate(&others.iter().zip(&unmasks).map(share).collect::<Vec<_>>())
    };
    let key = open.mask_key(victim, &shares(&|unmask| &unmask.dropped, victim));
    let late = figures(ground, victim, play.id);
    let pairs: Vec<(u16, Vec<u32>)> =
        others.iter().map(|other| (*other, open.stream(&open.pair_seed(victim, &key, *other), late.len()))).collect();

    // The same arithmetic opens what may be opened.
    let mut sum = vec![0; late.len()];
    for place in others {
        add(&mut sum, &figures(ground, place, play.id), true);
        add(
            &mut sum,
            &open.stream(&open.own_seed(place, &shares(&|unmask| &unmask.survivors, place)), late.len()),
            false,
        );
    }
    for (other, stream) in &pairs {
        add(&mut sum, stream, victim < *other);
    }
    let opened = &play.machine.opened().expect("open").sums[0];
    assert_eq!(sum.iter().map(|word| i64::from(word.cast_signed())).collect::<Vec<_>>(), *opened);
    assert_eq!(small(&sum), sum.len(), "the sum of four is open");

    ground.attack("12: its figures come late, and its mask key is known");
    let mut bare = late.clone();
    for (other, stream) in &pairs {
        add(&mut bare, stream, victim > *other);
    }
    // Two of seven are small by chance once in 50,000 runs, three in 30 million.
    assert!(small(&bare) <= 2, "its own mask is still on: {bare:?}");
    let mut difference = sum;
    add(&mut difference, &bare, false);
    assert!(small(&difference) <= 2, "and does not come off with the sum: {difference:?}");
}

/// A round that is given up, retried, given up and retried once more: the first
/// retry is free and fresh, the second is refused.
fn one_retry_and_no_second(ground: &mut Ground) {
    let by = ["age_group", "area", "sex"];
    let mut first = ground.round_by(&by);
    let question = first.question_id();
    ground.attack("13: a round is given up when all figures are in, and retried");
    first.run_to(ground, Phase::Confirm, &ALL);
    let erased =
        Certificate::new(first.session(), &stopped(ground, first.id, &ALL), &ground.roster).expect("five are enough");
    let mut second = Play::new(&ground.roster, first.question.clone(), retry(ground, &first, first.id), Some(&erased));
    second.run_to(ground, Phase::Confirm, &ALL);

    let mut keys = BTreeSet::new();
    for advert in [adverts(ground, &first), adverts(ground, &second)].concat() {
        assert!(keys.insert(advert.mask_pk) && keys.insert(advert.enc_pk), "every key is new");
        assert!(keys.insert(advert.commit.0), "and every secret");
    }
    let mut counts = [0u32; 256];
    let mut cells = 0;
    for place in ALL {
        let one = figures(ground, place, first.id);
        let mut other = figures(ground, place, second.id);
        assert_ne!(one, other);
        add(&mut other, &one, false);
        // One in 1024 of them by chance; as many again, and four more, never.
        assert!(small(&other) <= 4 + other.len() / 512, "{} of {} are small", small(&other), other.len());
        cells += other.len();
        other.iter().flat_map(|word| word.to_le_bytes()).for_each(|byte| counts[usize::from(byte)] += 1);
    }
    uniform(&counts);
    assert!(cells > 10_000, "enough to judge by: {cells}");

    ground.attack("13: the retry is given up as well, and retried");
    let erased = Certificate::new(second.session(), &stopped(ground, second.id, &ALL), &ground.roster).expect("five");
    let third = Play::new(&ground.roster, first.question.clone(), retry(ground, &first, second.id), Some(&erased));
    refused(ground, &third);
    ground.attack("13: the first round is retried once more");
    let erased = ALL.map(|place| {
        let said = ground.hear(place, first.id, Kind::Erased);
        (place, koonti_secagg::message::Erased::parse(&said).expect("an erasure").1.0)
    });
    let erased = Certificate::new(first.session(), &erased, &ground.roster).expect("five");
    let third = Play::new(&ground.roster, first.question.clone(), retry(ground, &first, first.id), Some(&erased));
    refused(ground, &third);
    for place in ALL {
        assert_eq!(ground.story(place, question), ["debit", "masked", "abort", "carry", "masked", "abort"]);
        ground.offer(place, &first.question);
        ground.wait_for_refusals(place, question, 3);
        assert_eq!(ground.refusals(place, question)[2], Refusal::Aborted);
    }
}

fn refused(ground: &mut Ground, play: &Play) {
    for place in ALL {
        let start = play.ready(ground, place);
        ground.leaves_over(place, start, play.id, Abort::Refused);
    }
    ground.nobody_said(&ALL, play.id, Kind::Advert);
}

/// Chi-square over bytes, 255 degrees of freedom: 400 is passed once in 10^8.
fn uniform(counts: &[u32; 256]) {
    let total: u32 = counts.iter().sum();
    let expected = f64::from(total) / 256.0;
    let chi: f64 = counts.iter().map(|count| (f64::from(*count) - expected).powi(2) / expected).sum();
    assert!(chi < 400.0, "the difference of both attempts is not uniform: {chi:.0}");
}
