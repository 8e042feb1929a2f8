//! The suite of [`pawl_runtime::ports::Tables`].

mod copies;
mod counters;
mod damage;
mod expectations;
mod expiry;
mod indexes;
mod queries;
mod reads;
mod rules;
mod spread;
mod stream;
mod values;

pub use copies::{
    a_copied_item_conflicts_once, a_copied_item_is_listed_once, every_read_of_a_copied_item_sees_the_last_commit,
    the_copies_of_an_item_count_as_writes,
};
pub use counters::{
    a_counter_conflicts_above_its_bound, a_counter_is_listed_and_deleted_with_its_partition,
    a_counter_never_goes_below_zero, a_counter_starts_at_zero_and_adds, an_expired_counter_starts_again,
};
pub use damage::{a_body_that_no_reader_could_parse_is_too_deep, a_damaged_body_is_a_fault_of_its_item_alone};
pub use expectations::{
    a_check_changes_nothing, a_delete_removes_the_item, a_failed_member_changes_nothing,
    a_version_holds_only_of_itself, absent_holds_only_where_no_item_stands, any_always_holds,
    concurrent_increments_by_version_lose_none, every_failed_member_is_reported_with_its_item,
    present_holds_only_where_an_item_stands,
};
pub use expiry::{an_expired_item_counts_as_absent, an_expired_item_is_not_read};
pub use indexes::{
    an_index_holds_only_items_with_an_entry, index_entries_are_added_moved_and_removed,
    index_ranges_select_by_the_index_sort_key, index_ties_are_ordered_by_primary_key,
    pages_of_an_index_follow_each_other_over_ties,
};
pub use queries::{
    a_foreign_cursor_is_invalid, a_prefix_selects_exactly_what_begins_so, between_includes_both_ends,
    newest_first_is_the_reverse, pages_follow_each_other_without_gap_or_repeat, sort_keys_are_ordered_by_bytes,
};
pub use reads::{
    a_durable_and_an_ordered_commit_are_seen_by_strong_reads, a_put_is_read_back_whole,
    a_transaction_without_writes_commits, several_are_read_in_the_order_asked, tables_are_separate,
};
pub use rules::{
    a_body_over_the_limit_is_invalid, a_hundred_writes_commit_and_more_are_invalid, a_key_named_twice_is_invalid,
    an_empty_key_is_invalid, an_index_entry_over_the_limit_is_invalid, bodies_over_the_limit_together_are_invalid,
    reads_and_pages_have_bounds,
};
pub use spread::{
    a_cursor_of_a_spread_partition_goes_on_where_the_page_ended, a_spread_partition_is_read_in_one_order,
    a_spread_partition_of_keys_is_one, an_item_moves_between_spread_partitions,
    ranges_and_ties_of_a_spread_partition_go_over_all_shards,
};
pub use stream::{
    a_changed_record_yields_a_stream_message, a_deleted_record_yields_a_stream_message,
    a_failed_commit_yields_no_stream_message, an_unchanged_record_yields_no_stream_message,
    other_tables_yield_no_stream_message,
};
pub use values::{
    an_address_in_other_letters_is_the_same_unique_value, blank_values_claim_nothing_and_long_ones_do,
    equal_numbers_are_found_by_one_key, equal_numbers_are_one_unique_value,
};
