"""The test harness: PostgreSQL, Kafka, the service and a webhook receiver, each private to the run."""
