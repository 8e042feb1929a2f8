//! The list of checks, and how a backend's crate turns them into tests.

/// Makes every check of a suite (`tables`, `queue`, `dead_letters`, `timers`, `blobs`, `expiry` or `secrets`) a `#[tokio::test]`
/// in a module of the suite's name. The second argument is evaluated, in an async context, to a fresh
/// [`Backend`](crate::Backend) for each check. The calling crate needs `tokio` with `macros` and `rt`.
#[macro_export]
macro_rules! contract {
    (tables, $backend:expr) => {
        $crate::contract_tests!(
            tables,
            $backend,
            [
                a_put_is_read_back_whole,
                tables_are_separate,
                several_are_read_in_the_order_asked,
                a_durable_and_an_ordered_commit_are_seen_by_strong_reads,
                a_transaction_without_writes_commits,
                absent_holds_only_where_no_item_stands,
                present_holds_only_where_an_item_stands,
                a_version_holds_only_of_itself,
                any_always_holds,
                a_delete_removes_the_item,
                a_check_changes_nothing,
                a_failed_member_changes_nothing,
                every_failed_member_is_reported_with_its_item,
                concurrent_increments_by_version_lose_none,
                an_expired_item_is_not_read,
                an_expired_item_counts_as_absent,
                a_counter_starts_at_zero_and_adds,
                a_counter_never_goes_below_zero,
                a_counter_conflicts_above_its_bound,
                a_counter_is_listed_and_deleted_with_its_partition,
                an_expired_counter_starts_again,
                sort_keys_are_ordered_by_bytes,
                newest_first_is_the_reverse,
                a_prefix_selects_exactly_what_begins_so,
                between_includes_both_ends,
                pages_follow_each_other_without_gap_or_repeat,
                a_foreign_cursor_is_invalid,
                an_index_holds_only_items_with_an_entry,
                index_entries_are_added_moved_and_removed,
                index_ties_are_ordered_by_primary_key,
                index_ranges_select_by_the_index_sort_key,
                pages_of_an_index_follow_each_other_over_ties,
                a_spread_partition_is_read_in_one_order,
                a_cursor_of_a_spread_partition_goes_on_where_the_page_ended,
                ranges_and_ties_of_a_spread_partition_go_over_all_shards,
                an_item_moves_between_spread_partitions,
                a_spread_partition_of_keys_is_one,
                every_read_of_a_copied_item_sees_the_last_commit,
                a_copied_item_conflicts_once,
                a_copied_item_is_listed_once,
                the_copies_of_an_item_count_as_writes,
                a_changed_record_yields_a_stream_message,
                a_deleted_record_yields_a_stream_message,
                an_unchanged_record_yields_no_stream_message,
                a_failed_commit_yields_no_stream_message,
                other_tables_yield_no_stream_message,
                a_hundred_writes_commit_and_more_are_invalid,
                a_key_named_twice_is_invalid,
                a_body_over_the_limit_is_invalid,
                bodies_over_the_limit_together_are_invalid,
                an_index_entry_over_the_limit_is_invalid,
                an_empty_key_is_invalid,
                reads_and_pages_have_bounds,
                a_body_that_no_reader_could_parse_is_too_deep,
                a_damaged_body_is_a_fault_of_its_item_alone,
                equal_numbers_are_one_unique_value,
                an_address_in_other_letters_is_the_same_unique_value,
                blank_values_claim_nothing_and_long_ones_do,
                equal_numbers_are_found_by_one_key,
            ]
        );
    };
    (queue, $backend:expr) => {
        $crate::contract_tests!(
            queue,
            $backend,
            [
                a_sent_message_is_received,
                queues_are_separate,
                a_received_message_is_hidden_until_its_visibility_ends,
                a_deleted_message_never_comes_back,
                an_unknown_receipt_is_no_error,
                a_delayed_message_comes_late,
                a_message_given_back_comes_again,
                a_message_put_off_comes_again_uncounted,
                a_message_given_back_later_comes_later,
                no_more_than_asked_are_received,
                many_messages_all_arrive_once,
                a_waiting_receiver_is_woken,
                a_receiver_that_stops_waiting_loses_nothing,
                a_body_over_the_limit_is_invalid,
                a_delay_out_of_bounds_is_invalid,
            ]
        );
    };
    (dead_letters, $backend:expr) => {
        $crate::contract_tests!(
            dead_letters,
            $backend,
            [
                dead_letters_are_seen_and_stay,
                no_more_than_asked_are_seen,
                a_redrive_puts_them_back_on_their_queues,
                a_redrive_is_bounded,
                nothing_is_put_back_where_nothing_died,
                one_is_sent_back_alone,
            ]
        );
    };
    (timers, $backend:expr) => {
        $crate::contract_tests!(
            timers,
            $backend,
            [
                a_timer_fires_when_due_and_not_before,
                a_timer_fires_once,
                a_timer_in_the_past_fires_at_once,
                setting_a_name_again_replaces_the_timer,
                a_cancelled_timer_does_not_fire,
                canceling_an_unknown_name_is_no_error,
                a_name_can_be_used_again_after_firing,
                timers_reach_the_queue_they_name,
                many_timers_due_together_all_fire,
                a_bad_name_is_invalid,
            ]
        );
    };
    (blobs, $backend:expr) => {
        $crate::contract_tests!(
            blobs,
            $backend,
            [
                a_blob_is_read_back,
                a_blob_can_be_put_twice,
                a_missing_blob_is_not_found,
                an_empty_and_a_large_blob_are_kept,
                the_same_content_of_two_owners_is_two_blobs,
                an_owner_of_any_name_keeps_its_blobs,
                the_blobs_of_an_owner_are_removed_together,
            ]
        );
    };
    (expiry, $backend:expr) => {
        $crate::contract_tests!(expiry, $backend, [a_head_that_expired_is_removed_and_told_of]);
    };
    (secrets, $backend:expr) => {
        $crate::contract_tests!(secrets, $backend, [a_known_secret_is_read, an_unknown_secret_is_not_found]);
    };
}

/// The tests of one suite; called by [`contract!`](crate::contract!).
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($suite:ident, $backend:expr, [$($check:ident),* $(,)?]) => {
        mod $suite {
            use super::*;

            $(
                #[tokio::test]
                async fn $check() {
                    let backend = $backend;
                    $crate::$suite::$check(&backend).await;
                }
            )*
        }
    };
}
