//! How many attacks were tried: each test counts its own, and a table holds it to
//! that number.

use std::fmt::Debug;

/// Counts the attacks of one test. One attack is one variant whose outcome is
/// asserted; a sweep over all bytes or lengths of one message counts once.
pub(crate) struct Cases {
    test: &'static str,
    tried: usize,
}

impl Cases {
    /// The attacks of the test of this name, which stands in the table.
    pub(crate) fn of(test: &'static str) -> Self {
        Self { test, tried: 0 }
    }

    /// One attack, which must end like this.
    #[track_caller]
    pub(crate) fn ends<T: PartialEq + Debug>(&mut self, what: impl std::fmt::Display, got: &T, expected: &T) {
        assert_eq!(got, expected, "{}: {what}", self.test);
        self.tried += 1;
    }

    /// One attack, which must have left this true.
    #[track_caller]
    pub(crate) fn holds(&mut self, what: impl std::fmt::Display, holds: bool) {
        assert!(holds, "{}: {what}", self.test);
        self.tried += 1;
    }
}

impl Drop for Cases {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let expected = TABLE.iter().find(|(test, _)| *test == self.test).map(|(_, cases)| *cases);
            assert_eq!(Some(self.tried), expected, "{} has another number of cases than the table says", self.test);
        }
    }
}

/// What the documentation says: at least so many.
const PROMISED: usize = 1500;

/// The modules with attacks.
const SOURCES: &[&str] = &[
    include_str!("g01_both_lists.rs"),
    include_str!("g02_two_survivor_sets.rs"),
    include_str!("g03_two_sets_of_dealers.rs"),
    include_str!("g04_after_release.rs"),
    include_str!("g05_signatures.rs"),
    include_str!("g06_keys.rs"),
    include_str!("g07_other_terms.rs"),
    include_str!("g08_weak_terms.rs"),
    include_str!("g09_sizes.rs"),
    include_str!("g10_shares.rs"),
    include_str!("g11_rounds_again.rs"),
    include_str!("g12_late_input.rs"),
    include_str!("g13_retry.rs"),
    include_str!("g14_again.rs"),
    include_str!("g15_malformed.rs"),
    include_str!("starved.rs"),
    include_str!("swapped.rs"),
    include_str!("vectors.rs"),
    include_str!("lying_nodes.rs"),
    include_str!("chunks.rs"),
    include_str!("beyond.rs"),
];

/// Attacks by test.
const TABLE: &[(&str, usize)] = &[
    // g01_both_lists
    ("g01_a_set_that_names_a_node_twice", 24),
    ("g01_a_second_set_with_or_without_the_victim", 8),
    ("g01_no_unmask_message_has_both", 13),
    ("g01_shares_of_both_secrets_are_never_t", 27),
    ("g01_a_victim_outside_the_u2_of_some", 4),
    // g02_two_survivor_sets
    ("g02_every_split_opens_one_set_at_most", 31),
    ("g02_four_liars_of_twenty_at_the_border", 2),
    // g03_two_sets_of_dealers
    ("g03_two_u2_and_every_split", 23),
    ("g03_what_cannot_be_opened_is_garbage", 8),
    ("g03_one_node_with_another_u2_is_only_dropped", 4),
    ("g03_two_sessions_of_one_round", 23),
    // g04_after_release
    ("g04_another_message_of_a_phase_that_is_over", 14),
    ("g04_a_phase_played_again_gets_the_same_bytes", 24),
    ("g04_confirmations_after_a_second_set", 4),
    ("g04_confirmations_twice_before_opening", 3),
    // g05_signatures
    ("g05_signatures_fewer_than_t", 22),
    ("g05_one_signature_counted_twice", 18),
    ("g05_signatures_of_non_members", 10),
    ("g05_signatures_over_something_else", 21),
    ("g05_all_signatures_of_another_round", 2),
    ("g05_altered_signatures", 6),
    // g06_keys
    ("g06_altered_adverts", 20),
    ("g06_substituted_adverts", 8),
    ("g06_one_key_twice", 17),
    ("g06_low_order_keys", 28),
    ("g06_a_key_reflected_in_other_bytes_gains_nothing", 8),
    ("g06_a_reflected_key_dropped_is_garbage", 2),
    // g07_other_terms
    ("g07_terms_that_the_node_refuses", 9),
    ("g07_one_node_with_other_terms", 55),
    ("g07_half_the_nodes_with_other_terms", 4),
    ("g07_inputs_of_two_rounds_never_combine", 2),
    // g08_weak_terms
    ("g08_numbers_that_do_not_follow", 64),
    ("g08_values_out_of_range", 27),
    ("g08_numbers_of_another_roster", 5),
    ("g08_starts_of_another_shape", 9),
    ("g08_a_ledger_without_room", 3),
    ("g08_a_ledger_that_cannot_write", 2),
    // g09_sizes
    ("g09_sets_below_u_min", 84),
    ("g09_sets_without_this_node", 36),
    ("g09_sets_with_strangers", 64),
    ("g09_sets_that_grow_again", 12),
    ("g09_nodes_that_are_not_in_the_roster", 5),
    ("g09_an_old_or_other_roster", 6),
    ("g09_a_roster_with_sybils", 19),
    ("g09_a_roster_with_one_node_twice", 2),
    ("g09_a_region_too_small", 3),
    // g10_shares
    ("g10_missing_or_too_many", 14),
    ("g10_one_byte_corrupt", 12),
    ("g10_swapped", 13),
    ("g10_replayed_from_another_round", 10),
    ("g10_a_lying_dealer", 13),
    // g11_rounds_again
    ("g11_the_same_round_again", 8),
    ("g11_two_rounds_at_a_time", 3),
    ("g11_the_cohort_minus_one", 2),
    ("g11_retries_without_right", 11),
    ("g11_a_retry_of_a_round_that_is_not_over", 2),
    ("g11_certificates_that_are_none", 11),
    ("g11_a_round_joined_once_more", 3),
    ("g11_a_restart_forgets_nothing", 2),
    // g12_late_input
    ("g12_a_late_input_stays_sealed", 10),
    ("g12_what_hides_it_is_the_own_mask", 1),
    ("g12_too_few_shares_give_nothing", 3),
    ("g12_the_victim_does_not_help", 9),
    ("g12_a_survivor_alone_stays_sealed", 5),
    // g13_retry
    ("g13_inputs_of_both_attempts_give_nothing", 6),
    ("g13_the_difference_is_uniform", 6),
    ("g13_nothing_comes_again", 22),
    ("g13_noise_is_fresh", 5),
    // g14_again
    ("g14_byte_for_byte_in_every_state", 20),
    ("g14_what_is_drawn_in_a_round", 4),
    ("g14_masks_are_given_out_once", 7),
    ("g14_a_masked_input_is_taken_once", 5),
    ("g14_nothing_after_leaving", 5),
    ("g14_opening_out_of_turn", 5),
    ("g14_an_input_of_another_session", 3),
    // g15_malformed
    ("g15_every_length", 4),
    ("g15_bytes_too_many", 24),
    ("g15_every_kind", 28),
    ("g15_of_another_round", 4),
    ("g15_every_other_order", 23),
    ("g15_phases_skipped", 38),
    ("g15_too_late", 10),
    ("g15_two_mebibytes", 20),
    ("g15_memory_stays_bounded", 1),
    // starved
    ("a_starved_victim_with_every_choice_of_corrupted_nodes", 24),
    ("no_certificate_for_an_open_sum_at_any_size", 118),
    ("no_certificate_for_an_open_sum_of_twelve", 1),
    ("the_victims_ledger_refuses", 32),
    // swapped
    ("only_two_inputs_change_and_by_the_difference", 8),
    ("a_swap_is_not_seen_in_what_the_attacker_computes", 4),
    // vectors
    ("two_vectors_subtracted_give_nothing", 19),
    ("masks_are_uniform", 30),
    ("streams_are_uniform", 22),
    // lying_nodes
    ("a_holder_that_releases_a_wrong_share_is_blamed", 7),
    ("a_holder_that_releases_anothers_shares_is_blamed", 4),
    ("a_dealer_that_lies_to_one_node_loses_that_node_only", 2),
    ("a_dealer_whose_shares_lie_on_no_polynomial_is_blamed", 4),
    ("one_lying_dealer_can_stop_a_round", 5),
    ("a_dealer_that_promises_itself_another_share_is_blamed", 1),
    ("a_masked_input_of_a_wrong_length", 16),
    ("a_masked_input_signed_for_something_else", 5),
    ("messages_of_a_wrong_length", 6),
    ("a_share_out_of_range", 2),
    // chunks
    ("a_chunk_too_large", 9),
    ("a_chunk_too_short", 3),
    ("a_chunk_twice", 6),
    ("chunks_exchanged", 7),
    ("a_chunk_altered", 5),
    ("a_chunk_of_another_round", 8),
    ("a_chunk_missing", 3),
    ("a_chunk_before_its_head_or_of_another_node", 6),
    ("a_chunk_too_late", 6),
    // beyond
    ("a_survivor_without_an_input", 5),
    ("the_smallest_sum", 5),
    ("everybody_helps_and_one_sum_opens", 9),
    ("fewer_than_t_helpers", 13),
    ("deadlines_at_the_end_of_time_change_nothing", 2),
    ("leaving_speaks_for_nobody_else", 5),
    ("masks_and_permits_of_another_round", 2),
];

#[test]
fn malicious_coordinator_cases() {
    for (test, _) in TABLE {
        let stands = |what: String| SOURCES.iter().filter(|source| source.contains(&what)).count();
        assert_eq!(stands(format!("#[test]\nfn {test}() {{\n")), 1, "{test} is one test");
        assert_eq!(stands(format!("let mut cases = Cases::of(\"{test}\");")), 1, "{test} counts its own");
    }
    let listed = |test: &str| test.starts_with('g') && test[1..3].parse::<u8>().is_ok();
    let of_the_list: usize = TABLE.iter().filter(|(test, _)| listed(test)).map(|(_, cases)| cases).sum();
    let cases: usize = TABLE.iter().map(|(_, cases)| cases).sum();
    println!("malicious-coordinator cases: {cases}, of the fifteen groups: {of_the_list}");
    assert!(cases >= PROMISED, "malicious-coordinator cases: {cases}, fewer than the {PROMISED} promised");
}
