"""Which test shows what becomes of each attack and fault of the catalogue, row by row.

A row has the tests that would fail if the product gave in, or the reason why it cannot be tried yet. Whoever
builds what a row waits for puts the test in the place of the reason.
"""

from dataclasses import dataclass

__all__ = ["ROWS", "NotYet"]


@dataclass(frozen=True)
class NotYet:
    """Nothing that the row attacks exists."""

    reason: str


_ACCEPT = "tests/payments/test_accept_api.py"
_ADMIN = "tests/admin/test_console.py"
_EXPORTS = "tests/lists/test_exports.py"
_CAPTURES = "tests/payments/test_captures.py"
_CARDS = "tests/payments/test_card_attempts.py"
_DELIVER = "tests/events/test_deliveries.py"
_DOOR = "tests/risk/test_door.py"
_ENCRYPTED = "tests/core/test_encrypted_fields.py"
_ENDPOINTS = "tests/events/test_endpoints_api.py"
_FEED = "tests/events/test_events_api.py"
_FINGERPRINTS = "tests/payments/test_card_fingerprints.py"
_HEADERS = "tests/admin/test_headers.py"
_HTTP = "tests/faults/test_http.py"
_INPUTS = "tests/api/test_inputs.py"
_JSON = "tests/core/test_strict_json.py"
_IN = "tests/events/test_webhook_view.py"
_KEYS = "tests/merchants/test_keys.py"
_LIMITED = "tests/core/test_limited_api.py"
_LIMITS = "tests/core/test_limits.py"
_LIST = "tests/payments/test_order_list_api.py"
_MATRIX = "tests/api/test_matrix.py"
_MONEY = "tests/core/test_money.py"
_ONCE = "tests/core/test_idempotency.py"
_PAYOUT_DESK = "tests/admin/test_payout_desk.py"
_PAGE_WEBHOOKS = "tests/payments/test_page_webhooks.py"
_PROTOCOL = "tests/api/test_protocol.py"
_RACES = "tests/merchants/test_key_races.py"
_CAPTURE_RACES = "tests/payments/test_capture_races.py"
_REDELIVER = "tests/events/test_redeliveries.py"
_REFUNDS = "tests/payments/test_refunds.py"
_SELLERS = "tests/merchants/test_sellers_api.py"
_SENDER = "tests/events/test_sender.py"
_SIGN_IN = "tests/admin/test_sign_in.py"
_SIGNED = "tests/merchants/test_signatures.py"
_SPLITS = "tests/ledger/templates/test_splits.py"
_TARGETS = "tests/events/test_targets.py"
_PAYOUT_RACES = "tests/payouts/test_races.py"
_VERIFY = "tests/channels/test_webhooks.py"
_WIRE = "tests/faults/test_authentication_http.py"

_FILES = NotYet("no file comes in that is opened: evidence is passed on as it is")
_REPORTS = "tests/payouts/providers/test_pain002.py"

ROWS: dict[str, tuple[str, ...] | NotYet] = {
    # A: who is asking
    "A-A1": (
        f"{_KEYS}::test_every_failed_authentication_looks_the_same_a_a1",
        f"{_KEYS}::test_failures_of_a_known_and_an_unknown_key_take_the_same_steps_a_a1",
        f"{_SIGNED}::test_the_secret_is_proved_before_anything_about_the_signature_is_told_a_a1",
        f"{_MATRIX}::test_no_key_opens_what_it_was_not_made_for_a_a1_a_e3",
    ),
    "A-A2": (
        f"{_SIGNED}::test_any_flipped_byte_breaks_the_signature_a_a2",
        f"{_SIGNED}::test_a_signature_is_for_one_request_a_a2",
        f"{_WIRE}::test_what_is_signed_is_what_is_on_the_wire",
        f"{_WIRE}::test_a_body_in_chunks_is_not_what_was_signed",
    ),
    "A-A3": (f"{_SIGNED}::test_bad_times_a_a3",),
    "A-A4": (
        f"{_SIGNED}::test_a_nonce_counts_once_a_a4",
        f"{_RACES}::test_of_twenty_with_one_nonce_one_passes_a_a4",
        f"{_RACES}::test_a_nonce_is_remembered_without_redis_a_a4",
    ),
    "A-A5": (f"{_SIGNED}::test_the_record_of_the_key_chooses_the_algorithm_a_a5",),
    "A-A6": (f"{_SIGNED}::test_serials_that_are_not_valid_a_a6",),
    "A-A7": (
        f"{_SIGNED}::test_a_set_of_headers_is_whole_and_single_a_a7",
        f"{_SIGNED}::test_two_idempotency_keys_are_malformed_a_a7",
        f"{_WIRE}::test_headers_that_no_client_sends_a_a7",
        f"{_HTTP}::test_requests_that_two_servers_would_read_differently_a_a7_a_h11",
    ),
    "A-A8": (
        f"{_KEYS}::test_a_key_in_the_query_string_is_refused_and_not_logged_a_a8",
        f"{_KEYS}::test_no_secret_gets_into_a_log_a_a8",
        f"{_WIRE}::test_no_log_of_the_server_holds_a_secret_a_a8",
    ),
    "A-A9": (f"{_ONCE}::test_bad_keys_a_a9", f"{_ONCE}::test_a_missing_key_where_money_moves_a_a9"),
    "A-A10": (f"{_ONCE}::test_the_key_belongs_to_the_merchant_f_b3_a_a10",),
    "A-A11": (f"{_LIMITED}::test_keys_are_tried_a_a11", f"{_LIMITED}::test_many_sources_fill_no_table"),
    # B: webhooks that come in
    "A-B1": (
        f"{_IN}::test_unsigned_and_wrongly_signed",
        f"{_VERIFY}::test_a_header_that_is_no_signature_is_refused",
        f"{_VERIFY}::test_an_altered_body_or_signature_is_refused",
    ),
    "A-B2": (
        f"{_IN}::test_signed_with_the_secret_of_another_channel",
        f"{_VERIFY}::test_another_channels_secret_is_refused",
    ),
    "A-B3": (
        f"{_IN}::test_too_old_and_too_new",
        f"{_VERIFY}::test_our_own_clock_decides",
    ),
    "A-B4": (f"{_IN}::test_replayed_inside_the_tolerance",),
    "A-B5": (
        f"{_IN}::test_too_old_and_too_new",
        f"{_VERIFY}::test_a_time_that_is_not_now_is_refused",
    ),
    "A-B6": (f"{_VERIFY}::test_the_check_of_time_cannot_be_switched_off",),
    "A-B7": (
        f"{_VERIFY}::test_a_header_that_is_no_signature_is_refused",
        f"{_VERIFY}::test_several_signatures_are_allowed_and_thousands_are_not",
    ),
    "A-B8": (f"{_IN}::test_signed_nonsense", f"{_VERIFY}::test_signed_content_that_is_no_event_is_refused"),
    "A-B9": (
        f"{_IN}::test_signed_nonsense",
        f"{_VERIFY}::test_no_input_gets_another_answer_than_a_refusal",
    ),
    "A-B10": (
        "tests/payments/test_webhooks.py::test_a_genuine_payment_of_something_else",
        f"{_PAGE_WEBHOOKS}::test_another_payment_of_the_right_amount_is_not_ours_a_b10",
    ),
    "A-B11": (
        f"{_PAGE_WEBHOOKS}::test_a_genuine_payment_that_carries_our_reference_a_b10_a_b11",
        f"{_PAGE_WEBHOOKS}::test_signed_by_another_account_a_b11",
    ),
    "A-B12": ("tests/events/test_inbox.py::test_the_wrong_mode_is_quarantined",),
    "A-B13": (
        f"{_IN}::test_a_body_that_is_too_large_is_refused_unread",
        f"{_HTTP}::test_a_body_that_drips_in_is_cut_off_a_b13",
    ),
    "A-B14": (f"{_IN}::test_a_flood_of_bad_signatures_is_cheap",),
    "A-B15": (f"{_VERIFY}::test_a_channel_without_a_secret_believes_nobody",),
    "A-B16": (
        "tests/payments/test_pay_page.py::test_what_the_address_says_is_not_believed",
        "tests/payments/test_hosted.py::test_the_provider_sends_the_buyer_back_to_us_only",
    ),
    "A-B17": NotYet("no provider of ours signs its answers"),
    # C: amounts
    "A-C1": (
        f"{_ACCEPT}::test_amounts_are_exact_decimal_strings_a_c1_a_c2_a_c3",
        f"{_MONEY}::test_amounts_that_are_none",
    ),
    "A-C2": (
        f"{_ACCEPT}::test_amounts_are_exact_decimal_strings_a_c1_a_c2_a_c3",
        f"{_SELLERS}::test_amounts_are_exact_decimal_strings_a_c1_a_c2_a_c3_a_c4",
    ),
    "A-C3": (
        f"{_ACCEPT}::test_amounts_are_exact_decimal_strings_a_c1_a_c2_a_c3",
        f"{_MONEY}::test_the_limit",
        f"{_MONEY}::test_absurd_amounts_are_refused",
    ),
    "A-C4": (
        f"{_JSON}::test_malformed_bodies",
        f"{_SELLERS}::test_number_literals_are_no_amounts_a_c4",
    ),
    "A-C5": (
        f"{_MONEY}::test_inexact_money_is_refused",
        f"{_ACCEPT}::test_decimals_follow_the_currency_a_c5_a_c13",
    ),
    "A-C6": (f"{_PROTOCOL}::test_what_is_paid_is_the_sum_of_the_orders_a_c6_a_h7",),
    "A-C7": (
        f"{_ACCEPT}::test_currencies_are_active_iso_codes_a_c7",
        f"{_MONEY}::test_currencies_that_nobody_pays_in",
        f"{_CAPTURES}::test_what_cannot_be_captured_a_c8",
    ),
    "A-C8": (
        f"{_CAPTURES}::test_what_cannot_be_captured_a_c8",
        f"{_CAPTURES}::test_only_once_and_only_while_the_money_is_reserved_a_c8",
        f"{_CAPTURE_RACES}::test_capture_against_void_has_one_winner_a_d2",
    ),
    "A-C9": (
        f"{_REFUNDS}::test_wrong_requests_a_c9",
        f"{_SPLITS}::test_refunds_beyond_what_is_left_are_refused",
    ),
    "A-C10": (
        "tests/payments/test_refund_shares.py::test_many_tiny_refunds_farm_nothing_a_c10",
        f"{_SPLITS}::test_ten_thousand_refunds_of_one_unit_earn_nobody_anything",
    ),
    "A-C11": (
        f"{_SPLITS}::test_parts_add_up_and_are_next_to_their_exact_share",
        f"{_PROTOCOL}::test_what_is_paid_is_the_sum_of_the_orders_a_c6_a_h7",
    ),
    "A-C12": NotYet("nobody is quoted a rate"),
    "A-C13": (
        f"{_MONEY}::test_minor_units_survive_every_way_round",
        f"{_ACCEPT}::test_decimals_follow_the_currency_a_c5_a_c13",
        "tests/payments/psp/test_stripe_units.py::test_an_amount_is_never_changed",
    ),
    "A-C14": (f"{_ACCEPT}::test_a_total_over_the_limit_is_refused_a_c14",),
    # D: many at once
    "A-D1": (
        "tests/payments/test_balance_race.py::test_exactly_as_many_succeed_as_there_is_money_for",
        f"{_PAYOUT_RACES}::test_thirty_withdrawals_take_what_there_is",
        f"{_PAYOUT_RACES}::test_thirty_withdrawals_keep_the_limit_of_the_day",
    ),
    "A-D4": ("tests/payments/test_balance.py::test_many_attempts_pay_an_order_once_a_d4",),
    "A-D5": (f"{_PAYOUT_RACES}::test_yes_no_and_back_at_once",),
    "A-D6": (
        f"{_LIMITS}::test_no_span_of_time_lets_more_pass_than_burst_and_rate_a_d6",
        f"{_LIMITS}::test_processes_together_never_pass_the_bound_a_d6",
    ),
    "A-D7": (f"{_PAYOUT_RACES}::test_a_new_account_and_a_withdrawal_at_once",),
    "A-D8": (
        f"{_RACES}::test_revocation_while_requests_run_a_d8",
        f"{_KEYS}::test_revocation_counts_from_its_commit_a_d8",
    ),
    "A-D9": (
        f"{_PAYOUT_RACES}::test_two_people_say_yes_at_once",
        f"{_PAYOUT_DESK}::test_double_clicks_are_one_f_f8_a_d9",
    ),
    # E: who may what
    "A-E1": (
        f"{_MATRIX}::test_every_route_is_in_the_table",
        f"{_MATRIX}::test_what_is_others_is_not_there_a_e1_a_e2",
        f"{_MATRIX}::test_pages_and_webhooks_know_no_strangers_a_e1",
    ),
    "A-E2": (
        f"{_MATRIX}::test_what_is_others_is_not_there_a_e1_a_e2",
        f"{_LIST}::test_others_checkouts_and_sellers_choose_nothing_a_e2",
        f"{_ENDPOINTS}::test_another_merchants_endpoint_is_none",
        f"{_FEED}::test_other_merchants_and_unpublished_events_are_none",
    ),
    "A-E3": (
        f"{_MATRIX}::test_no_key_opens_what_it_was_not_made_for_a_a1_a_e3",
        f"{_PROTOCOL}::test_a_stores_key_opens_no_page_of_the_console_a_e3",
        f"{_ADMIN}::test_readers_see_and_cannot_act",
        "tests/admin/test_webhooks_out.py::test_who_may_look_and_who_may_act",
        "tests/admin/test_key_pages.py::test_only_operators_change_keys_a_e3",
    ),
    "A-E4": (
        f"{_INPUTS}::test_no_input_object_has_a_field_for_any_other_column_a_e4",
        f"{_INPUTS}::test_a_body_that_says_more_changes_nothing_a_e4",
    ),
    "A-E5": (
        f"{_MATRIX}::test_the_right_key_gets_what_is_documented_a_e5",
        f"{_MATRIX}::test_what_is_open_to_everybody_is_the_same_for_everybody_a_e1_a_e5",
    ),
    "A-E6": (f"{_PROTOCOL}::test_a_foreign_id_takes_the_steps_of_one_that_nothing_has_a_e6",),
    "A-E7": (
        "tests/core/test_approvals.py::test_the_maker_and_machines_may_not_decide",
        "tests/admin/test_sellers_desk.py::test_the_checker_cannot_decide_what_they_asked_for",
        "tests/payouts/test_payout_audits.py::test_the_maker_says_yes_to_nothing",
        "tests/payouts/test_payout_audits.py::test_nobody_lets_a_payout_go_at_a_prompt",
        f"{_PAYOUT_DESK}::test_the_maker_cannot_decide_from_any_side_a_e7",
        "tests/payouts/test_guards.py::test_who_asked_cannot_say_yes_i30",
    ),
    "A-E8": (f"{_ADMIN}::test_even_a_superuser_cannot_edit", f"{_ADMIN}::test_the_database_refuses_as_well"),
    "A-E9": (f"{_ADMIN}::test_no_page_has_a_side_door",),
    "A-E10": (f"{_ADMIN}::test_a_button_needs_the_token_of_its_page",),
    "A-E11": (
        f"{_SIGN_IN}::test_the_session_id_changes_at_both_steps",
        f"{_SIGN_IN}::test_losing_a_role_or_the_account_works_at_once",
    ),
    "A-E12": (
        f"{_SIGN_IN}::test_a_password_alone_does_not_open",
        f"{_SIGN_IN}::test_a_code_works_once",
        f"{_ADMIN}::test_removing_an_app_needs_a_fresh_code",
        f"{_EXPORTS}::test_a_fresh_code_is_asked_for_a_e12",
    ),
    "A-E13": (
        f"{_HEADERS}::test_a_foreign_host_is_refused",
        f"{_SIGN_IN}::test_five_wrong_passwords_lock_the_name_for_the_address",
        f"{_LIMITED}::test_only_our_own_proxies_are_believed_a_e13",
        "tests/core/test_envelope.py::test_a_bad_host_a_e13",
    ),
    # F: what is read, and what is shown of it
    "A-F1": (f"{_REPORTS}::test_hostile_and_broken_files_are_refused_a_f1_a_f2",),
    "A-F2": (f"{_REPORTS}::test_hostile_and_broken_files_are_refused_a_f1_a_f2",),
    "A-F3": _FILES,
    "A-F4": (
        "tests/core/test_csv_cells.py::test_what_looks_like_a_formula_is_text_a_f4",
        "tests/payments/test_seller_sales.py::test_names_are_no_formulas_a_f4",
        "tests/wallet/test_statements.py::test_no_cell_of_the_csv_is_a_formula_a_f4",
        f"{_EXPORTS}::test_nothing_in_a_file_is_a_formula_and_nothing_is_lost_a_f4",
    ),
    "A-F5": (f"{_JSON}::test_other_media_types_a_f5_a_f9_a_f12",),
    "A-F6": (f"{_JSON}::test_malformed_bodies",),
    "A-F7": (f"{_JSON}::test_malformed_bodies",),
    "A-F8": (
        f"{_JSON}::test_forbidden_characters_in_every_string_field_a_f8",
        f"{_JSON}::test_forbidden_characters_in_keys_a_f8",
    ),
    "A-F9": (f"{_JSON}::test_malformed_bodies", f"{_JSON}::test_other_media_types_a_f5_a_f9_a_f12"),
    "A-F10": (f"{_JSON}::test_malformed_bodies",),
    "A-F11": (
        f"{_SELLERS}::test_bad_query_values_name_their_parameter_a_f11",
        f"{_LIST}::test_bad_query_values_name_their_parameter_a_f11_a_h9",
        f"{_MATRIX}::test_what_is_others_is_not_there_a_e1_a_e2",
    ),
    "A-F12": (
        f"{_JSON}::test_compressed_bodies_a_f12",
        f"{_JSON}::test_other_media_types_a_f5_a_f9_a_f12",
        "tests/core/test_envelope.py::test_too_many_parameters_a_f12",
    ),
    "A-F13": (f"{_MATRIX}::test_unknown_query_parameters_are_refused_everywhere_a_f13",),
    "A-F14": (f"{_PROTOCOL}::test_looking_for_cards_takes_time_in_proportion_a_f14",),
    "A-F15": (
        "tests/admin/test_unknown_desk.py::test_what_came_from_outside_is_escaped_a_f15",
        "tests/admin/test_webhooks_out.py::test_what_a_store_answers_is_only_text",
    ),
    "A-F16": (f"{_PROTOCOL}::test_a_line_of_the_log_is_one_line_a_f16",),
    "A-F17": (
        "tests/payouts/destinations/test_names.py::test_names_compare_as_a_person_would",
        "tests/payouts/destinations/test_names.py::test_alphabets_that_look_alike_are_noticed",
        "tests/payouts/destinations/test_names.py::test_what_nobody_sees_is_in_no_name",
        f"{_PAYOUT_DESK}::test_names_of_payees_cannot_deceive_a_f17",
        "tests/admin/test_destination_desk.py::test_a_second_person_verifies_and_sees_what_speaks_against_it",
    ),
    "A-F18": (
        f"{_ACCEPT}::test_card_numbers_are_refused_wherever_they_stand",
        "tests/core/test_card_data.py::test_card_numbers_anywhere_in_a_body",
        "tests/core/test_card_data.py::test_no_log_line_holds_a_card_number",
    ),
    "A-F19": ("tests/wallet/test_statement_pdf.py::test_names_in_every_script",),
    "A-F20": (f"{_PROTOCOL}::test_nothing_is_kept_in_a_form_that_runs_a_f20",),
    # G: where we can be sent
    "A-G1": (
        f"{_TARGETS}::test_addresses_that_are_not_public",
        f"{_TARGETS}::test_urls_that_are_refused",
        f"{_ENDPOINTS}::test_what_is_refused_at_creation",
    ),
    "A-G2": (
        f"{_TARGETS}::test_addresses_that_are_not_public",
        f"{_TARGETS}::test_names_of_private_addresses",
        f"{_ENDPOINTS}::test_what_is_refused_at_creation",
    ),
    "A-G3": (f"{_TARGETS}::test_urls_that_are_refused", f"{_ENDPOINTS}::test_what_is_refused_at_creation"),
    "A-G4": (
        f"{_SENDER}::test_a_name_that_changes_its_address",
        f"{_SENDER}::test_a_kept_connection_ends_after_a_minute",
    ),
    "A-G5": (f"{_DELIVER}::test_redirects_are_not_followed",),
    "A-G6": (
        f"{_SENDER}::test_a_gigabyte_is_cut",
        f"{_SENDER}::test_bytes_in_drips_end_in_time",
        f"{_SENDER}::test_the_certificate_is_verified_against_the_name",
    ),
    "A-G7": (
        f"{_SENDER}::test_what_a_private_address_answers_is_not_shown",
        f"{_SENDER}::test_the_first_kilobyte_is_kept_as_plain_text",
        f"{_REDELIVER}::test_deliveries_are_listed_with_their_attempts",
    ),
    "A-G8": NotYet("an egress proxy belongs to a deployment, and none is described"),
    # H: what the platform itself could be used for
    "A-H1": (
        f"{_CARDS}::test_one_card_and_one_address_a_h1",
        f"{_FINGERPRINTS}::test_many_tokens_of_one_card_with_many_keys_a_h1",
        f"{_FINGERPRINTS}::test_declined_attempts_count_like_others_a_h1",
        f"{_FINGERPRINTS}::test_thirty_at_once_are_as_many_as_are_allowed_a_h1",
        f"{_FINGERPRINTS}::test_redis_away_changes_nothing_a_h1",
        f"{_FINGERPRINTS}::test_a_card_is_looked_at_before_it_is_attached_a_h1",
        f"{_LIMITS}::test_attempts_are_counted_in_postgres_while_redis_is_away",
        f"{_DOOR}::test_too_many_payments_of_one",
        "tests/payments/test_reviews.py::test_trying_out_cards_is_stopped",
    ),
    "A-H2": (
        f"{_DOOR}::test_a_decline_answers_201_and_never_charges",
        "tests/payments/test_reviews.py::test_a_rejected_payment_fails_as_any_that_risk_declines",
    ),
    "A-H3": (
        "tests/payouts/destinations/test_deciding.py"
        "::test_an_account_is_usable_when_it_is_verified_and_cooled_down",
        "tests/payouts/destinations/test_deciding.py::test_there_is_no_falling_back_to_another_account",
        "tests/payouts/destinations/test_adding.py::test_people_hear_of_an_account_that_replaces_another",
    ),
    "A-H8": (f"{_PROTOCOL}::test_buyers_are_sent_to_web_addresses_only_a_h8",),
    "A-H9": (
        f"{_LIST}::test_no_filter_makes_the_list_read_more_than_it_shows_a_h9",
        f"{_LIST}::test_bad_query_values_name_their_parameter_a_f11_a_h9",
    ),
    "A-H10": (
        f"{_HEADERS}::test_every_area_is_allowed_what_it_needs_and_no_more",
        f"{_HEADERS}::test_other_headers",
        f"{_PROTOCOL}::test_the_method_is_the_one_of_the_request_a_h10",
        f"{_PROTOCOL}::test_no_other_site_may_read_or_ask_a_h10",
    ),
    "A-H11": (f"{_HTTP}::test_requests_that_two_servers_would_read_differently_a_a7_a_h11",),
    "A-H13": (
        f"{_ENCRYPTED}::test_a_stolen_dump_shows_nothing",
        f"{_ENCRYPTED}::test_a_value_moved_to_another_row_does_not_open",
        f"{_DELIVER}::test_the_secret_is_stored_encrypted_and_shown_once",
        "tests/payouts/destinations/test_deciding.py::test_an_account_of_another_row_does_not_open",
        "tests/payouts/destinations/test_deciding.py::test_fingerprints_survive_the_rotation_of_keys",
        "tests/payouts/destinations/test_adding.py::test_an_account_is_added_once_and_never_shown",
    ),
    "A-H14": (f"{_ADMIN}::test_the_database_refuses_as_well",),
    # Webhooks that go out
    "F-J1": (
        f"{_DELIVER}::test_an_endpoint_that_hangs_holds_nobody_else",
        f"{_DELIVER}::test_a_merchant_whose_endpoints_all_hang_holds_no_other",
        f"{_SENDER}::test_bytes_in_drips_end_in_time",
    ),
    "F-J2": (
        f"{_DELIVER}::test_the_schedule_of_three_days",
        "tests/admin/test_webhooks_out.py::test_a_paused_endpoint_is_an_alert_until_somebody_acts",
    ),
    "F-J3": (
        f"{_DELIVER}::test_410_disables_and_cancels_the_backlog",
        f"{_DELIVER}::test_redirects_are_not_followed",
        f"{_DELIVER}::test_retry_after_is_obeyed",
    ),
    "F-J4": (
        f"{_DELIVER}::test_killed_after_the_post",
        "tests/events/test_killed_processes.py::test_the_deliveries",
    ),
    "F-J5": (
        f"{_DELIVER}::test_two_signatures_while_the_secret_rotates",
        f"{_ENDPOINTS}::test_a_secret_is_rotated_without_a_gap",
    ),
    "F-J6": (f"{_SENDER}::test_a_gigabyte_is_cut",),
    "F-J7": (
        f"{_DELIVER}::test_a_removed_endpoint_is_not_told",
        f"{_REDELIVER}::test_a_removed_endpoint_shows_what_was_canceled",
    ),
}
