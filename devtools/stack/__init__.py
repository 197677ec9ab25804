"""The embedded servers and the supervisor behind ./start; the tests run on the same."""
