"""Which tests show what becomes of each fault of settlement and bank files: the rows F-H of the catalogue."""

__all__ = ["ROWS"]

_FILES = "tests/reconciliation/ingest/test_files.py"
_STATEMENTS = "tests/reconciliation/ingest/test_statements.py"
_KILLED = "tests/reconciliation/ingest/test_killed.py"
_RESUMED = "tests/reconciliation/ingest/test_resume.py"
_RACES = "tests/reconciliation/ingest/test_races.py"
_FETCHING = "tests/reconciliation/sources/test_fetching.py"
_LATE = "tests/reconciliation/sources/test_watching.py"
_NIGHT = "tests/reconciliation/fetchers/test_night.py"
_DECLARED = "tests/reconciliation/fetchers/test_declared.py"
_RUNS = "tests/reconciliation/matching/test_runs.py"
_BREAKS = "tests/reconciliation/matching/test_resolving.py"
_MONTHS = "tests/reconciliation/proof/test_months.py"
_OF = "tests/reconciliation/formats/test_"

ROWS: dict[str, tuple[str, ...]] = {
    "F-H1": (
        f"{_FILES}::test_cut_at_every_byte_nothing_counts",
        f"{_RESUMED}::test_a_refusal_in_the_last_line_takes_the_others_away",
        "tests/reconciliation/ingest/test_declared.py::test_a_payout_without_a_line_refuses_the_file",
        f"{_DECLARED}::test_an_empty_report_of_a_payout_is_no_quiet_day",
        f"{_DECLARED}::test_a_cut_report_is_fetched_again_before_anything_of_it_counts",
        f"{_OF}stripe.py::test_a_file_cut_anywhere_is_refused_or_is_the_first_of_its_lines",
        f"{_OF}adyen.py::test_a_file_cut_anywhere_is_refused_or_does_not_pass",
        f"{_OF}paypal.py::test_a_file_cut_anywhere_is_refused_or_does_not_pass",
        f"{_OF}camt.py::test_a_file_cut_anywhere_is_refused",
        f"{_OF}mt940.py::test_a_file_cut_anywhere_is_refused",
        f"{_OF}wechat.py::test_a_bill_that_was_cut_off",
        f"{_OF}wechat_fund_flow.py::test_a_bill_that_was_cut_off",
        f"{_OF}alipay.py::test_an_export_that_was_cut_off",
        f"{_OF}packing.py::test_a_packed_body_cut_anywhere_is_refused",
    ),
    "F-H2": (
        f"{_FILES}::test_the_same_body_again_has_no_effect",
        f"{_FILES}::test_other_bytes_that_say_the_same_are_a_duplicate",
        f"{_RACES}::test_the_same_body_from_many_at_once",
        f"{_RACES}::test_two_workers_take_one_file_once",
        f"{_STATEMENTS}::test_the_same_statement_again",
        f"{_BREAKS}::test_a_line_of_an_earlier_file_is_a_duplicate",
    ),
    "F-H3": (
        f"{_FILES}::test_a_correction_is_a_new_version_with_its_differences",
        f"{_FILES}::test_an_older_version_never_replaces_a_newer_one",
        f"{_STATEMENTS}::test_a_corrected_statement",
        f"{_RUNS}::test_a_corrected_file_keeps_what_did_not_change",
    ),
    "F-H4": (
        f"{_FILES}::test_declared_totals_that_do_not_fit",
        f"{_STATEMENTS}::test_a_file_with_a_statement_that_contradicts_itself",
        f"{_OF}wechat.py::test_each_total_catches_a_line",
        f"{_OF}alipay.py::test_each_total_catches_a_line",
        f"{_OF}paypal.py::test_a_changed_figure_of_a_footer_does_not_fit",
    ),
    "F-H5": (
        f"{_FILES}::test_another_currency_than_the_sources",
        f"{_FILES}::test_sums_never_cross_currencies",
        f"{_OF}camt.py::test_an_entry_in_another_currency_is_refused",
        f"{_OF}adyen.py::test_currencies_of_a_batch_end_apart",
    ),
    "F-H6": (
        f"{_FILES}::test_a_real_format_in_six_encodings",
        f"{_OF}delimited.py::test_a_body_is_in_the_declared_encoding_or_refused",
        f"{_OF}delimited.py::test_latin_1_is_read_only_where_it_is_declared",
        f"{_OF}xml_stream.py::test_another_encoding_than_declared_is_refused",
    ),
    "F-H7": (
        "tests/reconciliation/ingest/test_memory.py::test_memory_does_not_grow_with_the_file",
        "tests/benchmarks/test_staging.py::test_staging",
        f"{_OF}xml_stream.py::test_memory_does_not_grow_with_the_file",
        f"{_OF}damage.py::test_a_long_file_is_read_in_the_memory_of_a_short_one",
    ),
    "F-H8": (
        f"{_OF}stripe.py::test_every_category_has_the_signs_that_it_may_have",
        f"{_OF}adyen.py::test_every_journal_has_the_signs_that_it_may_have",
        f"{_OF}paypal.py::test_every_event_has_the_signs_that_it_may_have",
        f"{_OF}wechat.py::test_kinds_and_signs",
        f"{_OF}alipay.py::test_kinds_and_signs",
    ),
    "F-H9": (
        f"{_FILES}::test_a_real_format_with_a_broken_record",
        f"{_OF}delimited.py::test_what_is_broken_is_refused_with_its_line",
    ),
    "F-H10": (
        f"{_FILES}::test_a_real_format_with_a_broken_record",
        f"{_FILES}::test_what_no_column_can_hold",
        f"{_OF}delimited.py::test_a_field_may_be_as_long_as_allowed_and_the_limit_is_set_each_time",
        f"{_OF}mt940.py::test_lines_and_fields_that_do_not_end_are_refused",
    ),
    "F-H11": (
        f"{_FILES}::test_one_reference_twice_in_a_file",
        f"{_BREAKS}::test_a_line_that_comes_twice_is_a_duplicate",
    ),
    "F-H12": (
        f"{_RUNS}::test_breaks_fall_under_rules_and_are_told",
        f"{_RUNS}::test_a_payment_that_is_known_later_heals_its_break",
        f"{_MONTHS}::test_ten_thousand_payments",
    ),
    "F-H13": (
        f"{_RUNS}::test_what_never_comes_is_missed_and_may_come_yet",
        f"{_RUNS}::test_what_is_late_clears_by_itself",
        f"{_MONTHS}::test_ten_thousand_payments",
    ),
    "F-H14": (
        f"{_BREAKS}::test_rounding_is_matched_and_said",
        f"{_BREAKS}::test_another_amount_is_matched_by_its_name",
        f"{_RUNS}::test_a_small_difference_of_fees_needs_no_entry",
        f"{_MONTHS}::test_ten_thousand_payments",
    ),
    "F-H15": (
        f"{_FILES}::test_the_day_is_the_providers",
        f"{_OF}clock.py::test_the_last_second_of_a_day_belongs_to_it",
        f"{_OF}wechat.py::test_the_edges_of_a_day",
        f"{_OF}stripe.py::test_the_column_in_utc_is_preferred_and_the_day_is_that_of_the_source",
        f"{_MONTHS}::test_ten_thousand_payments",
    ),
    "F-H16": (
        f"{_LATE}::test_a_late_file_has_a_case_and_the_next_days_go_on",
        f"{_FETCHING}::test_a_day_that_fails_stops_no_other",
        f"{_FILES}::test_a_number_that_is_missing",
        f"{_NIGHT}::test_a_report_that_is_late_is_waited_for",
    ),
    "F-H17": (
        f"{_STATEMENTS}::test_a_gap_stops_the_account_and_no_other",
        f"{_STATEMENTS}::test_the_missing_statement_lets_the_held_ones_count_in_order",
        f"{_STATEMENTS}::test_a_copy_that_differs_is_held",
        f"{_OF}camt.py::test_balances_that_contradict_themselves_are_refused",
        f"{_OF}camt.py::test_the_copy_flag",
        f"{_OF}mt940.py::test_a_message_that_contradicts_itself_is_refused",
    ),
    "F-H18": (
        f"{_STATEMENTS}::test_a_reversal_has_its_direction_already",
        f"{_OF}camt.py::test_a_reversal_is_not_turned_again",
        f"{_OF}bank_money.py::test_camt_053_and_mt940_tell_the_same_money",
    ),
    "F-H19": (
        f"{_KILLED}::test_killed_at_every_step_the_result_is_the_same",
        f"{_RESUMED}::test_it_goes_on_where_it_stopped",
        f"{_RESUMED}::test_a_worker_that_was_overtaken_stops",
        f"{_RACES}::test_two_workers_that_believe_in_one_claim",
    ),
    "F-H20": (
        f"{_OF}amounts.py::test_what_is_no_amount_is_refused",
        f"{_OF}stripe.py::test_an_amount_is_never_guessed",
        f"{_OF}adyen.py::test_an_amount_is_never_guessed",
        f"{_OF}paypal.py::test_an_amount_is_never_guessed",
        f"{_OF}wechat.py::test_the_back_quote_is_part_of_the_grammar",
        f"{_OF}alipay.py::test_amounts_are_read_by_one_grammar",
        f"{_OF}mt940.py::test_an_entry_that_is_not_certain_refuses_the_file",
    ),
    "F-H21": (f"{_FILES}::test_a_digest_that_was_declared",),
    "F-H22": (
        f"{_FILES}::test_lines_of_the_future_and_of_long_ago",
        f"{_RUNS}::test_put_aside_is_for_people",
    ),
    "F-H23": (
        f"{_FILES}::test_two_downloads_of_a_day_that_is_not_over",
        f"{_FILES}::test_a_file_without_the_mark_of_its_end_is_provisional",
        f"{_FETCHING}::test_what_the_provider_still_writes_is_fetched_again",
        f"{_NIGHT}::test_a_file_that_is_cut_off_is_refused_and_fetched_again",
    ),
}
