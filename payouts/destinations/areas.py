"""Which accounts take which currency where: nothing is sent that a bank would have to convert or refuse."""

__all__ = ["iban_country", "takes"]

# The SEPA scheme countries and territories (EPC409-09), by ISO 3166-1.
_CODES = (
    "AD AL AT AX BE BG BL CH CY CZ DE DK EE ES FI FR GB GF GG GI GP GR HR HU IE IM IS IT JE LI LT LU LV MC "
    "MD ME MF MK MQ MT NL NO PL PM PT RE RO RS SE SI SK SM VA YT"
)
_SEPA = frozenset(_CODES.split())
# Territories whose banks have the IBANs of another country.
_FRENCH = "BL GF GP MF MQ NC PF PM RE TF WF YT"
_IBAN_OF = {**dict.fromkeys(_FRENCH.split(), "FR"), "AX": "FI", "GG": "GB", "IM": "GB", "JE": "GB"}
# The money of countries that have IBANs and another currency than the euro, or one beside it.
_OWN = {
    "AE": "AED", "AL": "ALL", "AZ": "AZN", "BA": "BAM", "BH": "BHD", "BI": "BIF", "BR": "BRL", "BY": "BYN",
    "CH": "CHF", "CR": "CRC", "CZ": "CZK", "DJ": "DJF", "DK": "DKK", "DO": "DOP", "EG": "EGP", "FK": "FKP",
    "FO": "DKK", "GB": "GBP", "GE": "GEL", "GG": "GBP", "GI": "GIP", "GL": "DKK", "GT": "GTQ", "HN": "HNL",
    "HU": "HUF", "IL": "ILS", "IM": "GBP", "IQ": "IQD", "IS": "ISK", "JE": "GBP", "JO": "JOD", "KW": "KWD",
    "KZ": "KZT", "LB": "LBP", "LI": "CHF", "LY": "LYD", "MD": "MDL", "MK": "MKD", "MN": "MNT", "MR": "MRU",
    "MU": "MUR", "NC": "XPF", "NI": "NIO", "NO": "NOK", "OM": "OMR", "PF": "XPF", "PK": "PKR", "PL": "PLN",
    "PS": "ILS", "QA": "QAR", "RO": "RON", "RS": "RSD", "RU": "RUB", "SA": "SAR", "SC": "SCR", "SD": "SDG",
    "SE": "SEK", "SO": "SOS", "ST": "STN", "SV": "USD", "TL": "USD", "TN": "TND", "TR": "TRY", "UA": "UAH",
    "VG": "USD", "WF": "XPF", "YE": "YER",
}  # fmt: skip


def iban_country(country: str) -> str:
    """Return the country code that IBANs of a country or territory begin with."""
    return _IBAN_OF.get(country, country)


def takes(kind: str, country: str, currency: str) -> bool:
    """Say whether accounts of a kind in a country take a currency.

    An IBAN takes euros where SEPA reaches, and the country's own money; a US account takes dollars; what a
    provider's account takes is the provider's to say.
    """
    if kind == "iban":
        return (currency == "EUR" and country in _SEPA) or _OWN.get(country) == currency
    if kind == "us_account":
        return (country, currency) == ("US", "USD")
    return True
