"""The stock watch: finds each time the stock of a product falls below its `lowStockAt` (docs/stock.md)."""
