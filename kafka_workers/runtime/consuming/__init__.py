"""The consumer loop: take a batch, handle it, send the answers, commit the offsets."""
