"""A setting for every Kafka client of the benchmarks."""

# Otherwise a client logs every attempt to reconnect to a broker that has been stopped.
NO_CLIENT_LOG = {"log_level": 0}
