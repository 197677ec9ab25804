"""An alert goes from a target by Prometheus and Alertmanager to the one who is called, and its end too."""

import urllib.request

import pytest

from devtools.monitoring.configuration import Trial
from tests.observability.conftest import StartMonitoring
from tests.observability.exposition import Exposition
from tests.observability.webhook import Webhook
from tests.running_catcher import Catcher

pytestmark = pytest.mark.prometheus

GROUP = "products-service-group"


def test_a_cause_is_told_with_its_runbook_and_its_consequence_is_not(
    start_monitoring: StartMonitoring, exposition: Exposition, webhook: Webhook, mail_catcher: Catcher
) -> None:
    trial = Trial(targets={"stockbridge": [exposition.address]}, faster=60)
    healthy = ("stockbridge_relay_leaders 1", 'stockbridge_consumer_group_status{group="g",status="OK"} 1')
    exposition.show(
        *healthy,
        f'stockbridge_circuit_breaker_open{{group="{GROUP}"}} 1',
        f'stockbridge_dead_letters{{group="{GROUP}"}} 7',
    )
    mail_server = f"127.0.0.1:{mail_catcher.smtp_port}"
    monitoring = start_monitoring(trial, webhook=webhook.url, mail_server=mail_server)

    notice = webhook.next_notice()
    [alert] = notice.message["alerts"]
    assert (notice.receiver, alert["labels"]["alertname"]) == ("call", "CircuitBreakerOpen")
    assert alert["labels"]["group"] == GROUP
    assert "runbooks/CircuitBreakerOpen.md" in mail_catcher.mail("CircuitBreakerOpen")["html"]
    with urllib.request.urlopen(alert["annotations"]["runbook_url"], timeout=5) as runbook:
        assert b"CircuitBreakerOpen" in runbook.read()

    monitoring.wait_for_alert("DeadLetters")
    assert monitoring.told() == {"CircuitBreakerOpen"}

    exposition.show(*healthy, f'stockbridge_circuit_breaker_open{{group="{GROUP}"}} 1')
    monitoring.wait_for_end("DeadLetters")
    exposition.show(*healthy)
    assert webhook.next_notice().message["status"] == "resolved"
