"""The currencies that Stripe charges: https://docs.stripe.com/currencies."""

from devtools.payment_sandbox.errors import GatewayError

_CODES = """
usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bhd bif bmd bnd bob brl bsd bwp byn bzd cad
cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd
hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl
mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg
qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std szl thb tjs tnd top try ttd twd tzs uah
ugx uyu uzs vnd vuv wst xaf xcd xof xpf yer zar zmw
"""
SUPPORTED = tuple(_CODES.split())


def currency_of(text: str) -> str:
    """The currency in small letters. Raises GatewayError where Stripe does not charge it."""
    if text.lower() not in SUPPORTED:
        raise GatewayError(
            400,
            f"Invalid currency: {text}. Stripe currently supports these currencies: {', '.join(SUPPORTED)}",
            param="currency",
        )
    return text.lower()
