"""A card token pays for several sellers: accept, execute, books, answers."""

from tests.payments.conftest import Shop


def test_one_charge_pays_two_sellers(shop: Shop) -> None:
    paid = shop.pay()

    assert (paid["status"], paid["is_payment_done"], paid["is_final"]) == ("succeeded", True, True)
    assert [order["payment_order_status"] for order in paid["payment_orders"]] == ["SUCCESS", "SUCCESS"]
    assert [order["captured"] for order in paid["payment_orders"]] == ["90.00", "10.00"]
    effects = [effect for effect in shop.effects(paid["checkout_id"]) if effect["kind"] == "charge.captured"]
    assert len(effects) == 1
