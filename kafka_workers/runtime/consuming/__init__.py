"""The consumer loop: poll a batch, handle it, send the answers, commit the offsets."""
