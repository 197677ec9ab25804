"""Pages: schemas and events of the messages for everybody, board and proof of the stock for staff."""
