"""Personal data: what is held of a customer, exported and erased; `docs/personal-data.md` has the table."""
