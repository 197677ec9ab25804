"""What every Kafka client of the benchmarks is given."""

# A client whose broker has been stopped has nothing to say about that.
QUIET = {"log_level": 0}
