"""What the web processes show of the messages: JSON Schemas, the AsyncAPI document, and a page of it."""
