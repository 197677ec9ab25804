"""The embedded servers and the supervisor of ./start; the tests use the same servers."""
