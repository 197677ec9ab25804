"""What is agreed with everybody on the broker: topics, principals and the generated documents."""
