"""A-F17: whose account it says it is, and how that compares with who the seller is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payouts.destinations.names import LONGEST, compare, holder_name, masked, mixes_scripts
from payouts.errors import DestinationInvalid


@pytest.mark.parametrize(
    ("holder", "seller", "match"),
    [
        ("Ann Bell", "Ann Bell", "exact"),
        ("ANN  BELL", "Ann Bell", "exact"),
        ("Jörg Müßig", "Jorg Mussig", "exact"),
        ("O’Neill, Ann", "O'Neill Ann", "exact"),
        ("Bell, Ann", "Ann Bell", "close"),
        ("Bob's Books", "Bobs Books Ltd.", "close"),
        ("Bobs Boks Ltd", "Bob's Books Ltd", "close"),
        ("株式会社山田", "株式会社山田", "exact"),
        ("Ann Bell", "Bob Stone", "no"),
        ("Ltd", "GmbH", "no"),
        # Cyrillic letters that look like Latin ones.
        ("\u0440\u0430ypal", "paypal", "no"),
        ("Ann Be\u04c0l", "Ann Bell", "no"),
        ("---", "Ann", "no"),
    ],
)
def test_names_compare_as_a_person_would(holder: str, seller: str, match: str) -> None:
    assert compare(holder, seller) == match


@pytest.mark.parametrize(
    ("text", "mixed"),
    [("Ann Bell", False), ("\u0440\u0430ypal", True), ("Αθηνα Bell", True), ("株式会社ABCアン", False)],
)
def test_alphabets_that_look_alike_are_noticed(text: str, mixed: bool) -> None:
    assert mixes_scripts(text) is mixed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "123",
        "A" * (LONGEST + 1),
        "Ann\u200bBell",
        "Ann\u202eBell",
        "Ann\u2066Bell",
        "A\ue000n",
        "A\x07n",
    ],
)
def test_what_nobody_sees_is_in_no_name(text: str) -> None:
    with pytest.raises(DestinationInvalid) as caught:
        holder_name(text)
    assert caught.value.param == "holder_name"


@given(st.text(min_size=1, max_size=90))
def test_a_name_is_kept_in_one_spelling_or_refused(text: str) -> None:
    try:
        name = holder_name(text)
    except DestinationInvalid:
        return
    assert holder_name(name) == name == unicodedata.normalize("NFC", name)
    assert name.split() == unicodedata.normalize("NFC", text).split()
    assert compare(name, name) == "exact" or not any(char.isalnum() for char in name)
    assert all(len(word) == 2 for word in masked(name).split())
