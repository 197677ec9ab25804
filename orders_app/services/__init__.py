"""What can be done to orders: the only code that writes them."""
