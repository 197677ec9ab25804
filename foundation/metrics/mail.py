"""The metrics of mail."""

from prometheus_client import Counter, Gauge, Histogram

from foundation.metrics.buckets import MILLISECONDS_TO_A_MINUTE
from foundation.metrics.series import begin_at_0

MAILS = Counter(
    "stockbridge_mails_total",
    "Mails by what became of them; outcome is sent, refused (for good), deferred (tried again), not_sent (no "
    "address, not wanted) or unsure (perhaps sent when its process was killed, twice).",
    ["outcome"],
)
begin_at_0(MAILS, "sent", "refused", "deferred", "not_sent", "unsure")
MAIL_SECONDS = Histogram(
    "stockbridge_mail_seconds",
    "Time in which a mail is given to the mail server, which takes it or not.",
    buckets=MILLISECONDS_TO_A_MINUTE,
)

ACCOUNT_MAILS_WAITING = Gauge(
    "stockbridge_account_mails_waiting",
    "Account mails (links to a new password and the like) that are not sent yet, those deferred included.",
    multiprocess_mode="mostrecent",
)
