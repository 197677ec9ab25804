"""The dashboard of payments, mail and analytics: the workers behind the order flow."""

from devtools.dashboards.description import Dashboard, Row, Unit, lines, number, quantile, quantiles, rate

LAG = "stockbridge_consumer_lag_seconds"
WAITS = "stockbridge_orders_waiting_oldest_seconds"

PAYMENTS_AND_MAIL = Dashboard(
    "payments-and-mail",
    "Stockbridge: payments and mail",
    "The payment gateway, mails to customers, and how old the figures of analytics are.",
    [
        Row(
            "Now",
            [
                number(
                    "Oldest charge that waits",
                    "How long the oldest order has waited for the answer of the gateway.",
                    Unit.SECONDS,
                    f'max({WAITS}{{wait="charge"}})',
                    bad_from=120,
                ),
                number(
                    "Oldest refund that waits",
                    "How long ago the oldest refund was asked for that the gateway has not given.",
                    Unit.SECONDS,
                    f'max({WAITS}{{wait="refund"}})',
                    bad_from=120,
                ),
                number(
                    "Differences to the gateway's books",
                    "That the last audit of the payments left. Anything but 0 is an error.",
                    Unit.COUNT,
                    "max(stockbridge_payment_differences)",
                    bad_from=1,
                ),
                number(
                    "Account mails that wait",
                    "Links to a new password and the like; above 0 for minutes, no mail goes out.",
                    Unit.COUNT,
                    "max(stockbridge_account_mails_waiting)",
                    bad_from=10,
                ),
                number(
                    "Age of the figures",
                    "How old the figures of analytics are.",
                    Unit.SECONDS,
                    "max(stockbridge_analytics_lag_seconds)",
                    bad_from=60,
                ),
            ],
        ),
        Row(
            "Payments",
            [
                lines(
                    "Answers of the gateway",
                    "Payments and refunds by what became of them. Declines are the customers' affair, unless "
                    "they become many at once.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_payments_total", "outcome"), "{{outcome}}"),
                ),
                lines(
                    "Time of the gateway, p95",
                    "Of a request, by what is asked for.",
                    Unit.SECONDS,
                    (quantile(0.95, "stockbridge_gateway_request_seconds", "operation"), "{{operation}}"),
                ),
                lines(
                    "Webhooks",
                    "What the gateway tells by itself. refused: not signed by it.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_gateway_events_total", "outcome"), "{{outcome}}"),
                ),
                lines(
                    "Payment consumer behind",
                    "Wait of its first unread message.",
                    Unit.SECONDS,
                    (f'max({LAG}{{group="payments-service-group"}})', "payments-service-group"),
                ),
            ],
        ),
        Row(
            "Mail",
            [
                lines(
                    "Mails",
                    "By what became of them. deferred and refused: the mail server does not take them.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_mails_total", "outcome"), "{{outcome}}"),
                ),
                lines(
                    "Time of the mail server",
                    "In which a mail is given to it.",
                    Unit.SECONDS,
                    *quantiles("stockbridge_mail_seconds"),
                ),
                lines(
                    "Email consumer behind",
                    "Wait of its first unread message.",
                    Unit.SECONDS,
                    (f'max({LAG}{{group="email-service-group"}})', "email-service-group"),
                ),
                lines(
                    "Account mails that wait, over time",
                    "Those deferred included.",
                    Unit.COUNT,
                    ("max(stockbridge_account_mails_waiting)", "waiting"),
                ),
            ],
        ),
        Row(
            "Audits and figures",
            [
                lines(
                    "Since the last audit of payments",
                    "Very long if there was none: `manage.py audit_payments`.",
                    Unit.SECONDS,
                    ("time() - max(stockbridge_payment_audit_timestamp_seconds)", "since"),
                ),
                lines(
                    "Holds that expired",
                    "Orders that were cancelled because nobody paid them in time.",
                    Unit.PER_SECOND,
                    (rate("stockbridge_holds_expired_total"), "orders"),
                ),
                lines(
                    "Age of the figures, over time",
                    "It rises if the analytics consumer or the relay is behind.",
                    Unit.SECONDS,
                    ("max(stockbridge_analytics_lag_seconds)", "age"),
                ),
            ],
        ),
    ],
)
