"""Currencies by their codes in ISO 4217, with the number of decimals that their amounts have."""

from decimal import Decimal

# The list of ISO 4217 without funds, metals and test codes.
_WITH_TWO_DECIMALS = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC
CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR
JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD
NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN
SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG
"""
# Of the ariary (MGA), whose parts are fifths, gateways count whole ones.
_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX VND VUV XAF XOF XPF"
_WITH_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

_DECIMALS = {
    code: decimals
    for decimals, codes in ((0, _WITHOUT_DECIMALS), (2, _WITH_TWO_DECIMALS), (3, _WITH_THREE_DECIMALS))
    for code in codes.split()
}


def is_currency(code: str) -> bool:
    """Whether this is the code of a currency, in capitals."""
    return code in _DECIMALS


def decimals_of(currency: str) -> int:
    """How many decimals amounts in this currency have. Raises ValueError where it is no currency."""
    if not is_currency(currency):
        raise ValueError(f"{currency!r} is no currency of ISO 4217")
    return _DECIMALS[currency]


def smallest_unit(currency: str) -> Decimal:
    """The least amount in this currency: 0.01 USD, 1 JPY, 0.001 KWD. Raises ValueError as `decimals_of`."""
    return Decimal(1).scaleb(-decimals_of(currency))


def largest_amount(currency: str, whole_digits: int) -> Decimal:
    """The largest amount with so many digits before the point. Raises ValueError as `decimals_of`."""
    return Decimal(10) ** whole_digits - smallest_unit(currency)
