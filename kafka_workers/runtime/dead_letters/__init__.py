"""Dead letters: finding them, redriving and discarding them."""
