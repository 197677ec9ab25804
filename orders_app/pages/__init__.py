"""The pages about orders: cart, checkout and account; my orders; the board and the insights for staff."""
