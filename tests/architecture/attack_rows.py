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
_DELIVER = "tests/events/test_deliveries.py"
_HEADERS = "tests/admin/test_headers.py"
_HTTP = "tests/faults/test_http.py"
_INPUTS = "tests/api/test_inputs.py"
_JSON = "tests/core/test_strict_json.py"
_KEYS = "tests/merchants/test_keys.py"
_LIST = "tests/payments/test_order_list_api.py"
_MATRIX = "tests/api/test_matrix.py"
_MONEY = "tests/core/test_money.py"
_ONCE = "tests/core/test_idempotency.py"
_PROTOCOL = "tests/api/test_protocol.py"
_SELLERS = "tests/merchants/test_sellers_api.py"
_SENDER = "tests/events/test_sender.py"
_SIGN_IN = "tests/admin/test_sign_in.py"
_SPLITS = "tests/ledger/templates/test_splits.py"
_TARGETS = "tests/events/test_targets.py"

_SIGNING = NotYet("requests are not signed")
_FILES = NotYet("no file comes in")
_CAPTURES = NotYet("no request captures")

ROWS: dict[str, tuple[str, ...] | NotYet] = {
    # A: who is asking
    "A-A1": (
        f"{_KEYS}::test_every_failed_authentication_looks_the_same_a_a1",
        f"{_MATRIX}::test_no_key_opens_what_it_was_not_made_for_a_a1_a_e3",
    ),
    "A-A2": _SIGNING,
    "A-A3": _SIGNING,
    "A-A4": _SIGNING,
    "A-A5": _SIGNING,
    "A-A6": _SIGNING,
    "A-A7": (f"{_HTTP}::test_requests_that_two_servers_would_read_differently_a_a7_a_h11",),
    "A-A8": (f"{_KEYS}::test_a_key_in_the_query_string_is_refused_and_not_logged_a_a8",),
    "A-A9": (f"{_ONCE}::test_bad_keys_a_a9", f"{_ONCE}::test_a_missing_key_where_money_moves_a_a9"),
    "A-A10": (f"{_ONCE}::test_the_key_belongs_to_the_merchant_f_b3_a_a10",),
    "A-A11": NotYet("failed keys are not counted by where they come from"),
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
    ),
    "A-C8": _CAPTURES,
    "A-C9": (f"{_SPLITS}::test_refunds_beyond_what_is_left_are_refused",),
    "A-C10": (f"{_SPLITS}::test_ten_thousand_refunds_of_one_unit_earn_nobody_anything",),
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
    # E: who may what
    "A-E1": (
        f"{_MATRIX}::test_every_route_is_in_the_table",
        f"{_MATRIX}::test_what_is_others_is_not_there_a_e1_a_e2",
        f"{_MATRIX}::test_pages_and_webhooks_know_no_strangers_a_e1",
    ),
    "A-E2": (
        f"{_MATRIX}::test_what_is_others_is_not_there_a_e1_a_e2",
        f"{_LIST}::test_others_checkouts_and_sellers_choose_nothing_a_e2",
    ),
    "A-E3": (
        f"{_MATRIX}::test_no_key_opens_what_it_was_not_made_for_a_a1_a_e3",
        f"{_PROTOCOL}::test_a_stores_key_opens_no_page_of_the_console_a_e3",
        f"{_ADMIN}::test_readers_see_and_cannot_act",
    ),
    "A-E4": (
        f"{_INPUTS}::test_no_input_object_has_a_field_for_any_other_column_a_e4",
        f"{_INPUTS}::test_a_body_that_says_more_changes_nothing_a_e4",
    ),
    "A-E5": (f"{_MATRIX}::test_the_right_key_gets_what_is_documented_a_e5",),
    "A-E6": (f"{_PROTOCOL}::test_a_foreign_id_takes_the_steps_of_one_that_nothing_has_a_e6",),
    "A-E7": ("tests/core/test_approvals.py::test_the_maker_and_machines_may_not_decide",),
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
    ),
    "A-E13": (
        f"{_HEADERS}::test_a_foreign_host_is_refused",
        f"{_SIGN_IN}::test_five_wrong_passwords_lock_the_name_for_the_address",
        "tests/core/test_envelope.py::test_a_bad_host_a_e13",
    ),
    # F: what is read, and what is shown of it
    "A-F1": _FILES,
    "A-F2": _FILES,
    "A-F3": _FILES,
    "A-F4": ("tests/wallet/test_statements.py::test_no_cell_of_the_csv_is_a_formula_a_f4",),
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
    "A-F15": ("tests/admin/test_unknown_desk.py::test_what_came_from_outside_is_escaped_a_f15",),
    "A-F16": (f"{_PROTOCOL}::test_a_line_of_the_log_is_one_line_a_f16",),
    "A-F17": NotYet("nobody approves a payout by the name of who gets it"),
    "A-F18": (
        f"{_ACCEPT}::test_card_numbers_are_refused_wherever_they_stand",
        "tests/core/test_card_data.py::test_card_numbers_anywhere_in_a_body",
        "tests/core/test_card_data.py::test_no_log_line_holds_a_card_number",
    ),
    "A-F19": ("tests/wallet/test_statement_pdf.py::test_names_in_every_script",),
    "A-F20": (f"{_PROTOCOL}::test_nothing_is_kept_in_a_form_that_runs_a_f20",),
    # G: where we can be sent
    "A-G1": (f"{_TARGETS}::test_addresses_that_are_not_public", f"{_TARGETS}::test_urls_that_are_refused"),
    "A-G2": (
        f"{_TARGETS}::test_addresses_that_are_not_public",
        f"{_TARGETS}::test_names_of_private_addresses",
    ),
    "A-G3": (f"{_TARGETS}::test_urls_that_are_refused",),
    "A-G4": (f"{_SENDER}::test_a_name_that_changes_its_address",),
    "A-G5": (f"{_DELIVER}::test_redirects_are_not_followed",),
    "A-G6": (
        f"{_SENDER}::test_a_gigabyte_is_cut",
        f"{_SENDER}::test_bytes_in_drips_end_in_time",
        f"{_SENDER}::test_the_certificate_is_verified_against_the_name",
    ),
    "A-G7": (f"{_SENDER}::test_what_a_private_address_answers_is_not_shown",),
    "A-G8": NotYet("an egress proxy belongs to a deployment, and none is described"),
    # H: what the platform itself could be used for
    "A-H8": (f"{_PROTOCOL}::test_buyers_are_sent_to_web_addresses_only_a_h8",),
    "A-H9": (
        f"{_LIST}::test_no_filter_makes_the_list_read_more_than_it_shows_a_h9",
        f"{_LIST}::test_bad_query_values_name_their_parameter_a_f11_a_h9",
    ),
    "A-H10": (
        f"{_HEADERS}::test_the_site_is_strict",
        f"{_HEADERS}::test_other_headers",
        f"{_PROTOCOL}::test_the_method_is_the_one_of_the_request_a_h10",
        f"{_PROTOCOL}::test_no_other_site_may_read_or_ask_a_h10",
    ),
    "A-H11": (f"{_HTTP}::test_requests_that_two_servers_would_read_differently_a_a7_a_h11",),
    # Webhooks that go out
    "F-J1": (
        f"{_DELIVER}::test_an_endpoint_that_hangs_holds_nobody_else",
        f"{_SENDER}::test_bytes_in_drips_end_in_time",
    ),
    "F-J2": (f"{_DELIVER}::test_the_schedule_of_three_days",),
    "F-J3": (
        f"{_DELIVER}::test_410_disables_and_cancels_the_backlog",
        f"{_DELIVER}::test_redirects_are_not_followed",
        f"{_DELIVER}::test_retry_after_is_obeyed",
    ),
    "F-J4": (
        f"{_DELIVER}::test_killed_after_the_post",
        "tests/events/test_killed_processes.py::test_the_deliveries",
    ),
    "F-J5": (f"{_DELIVER}::test_two_signatures_while_the_secret_rotates",),
    "F-J6": (f"{_SENDER}::test_a_gigabyte_is_cut",),
    "F-J7": (f"{_DELIVER}::test_a_removed_endpoint_is_not_told",),
}
