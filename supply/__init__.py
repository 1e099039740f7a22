"""What the image is made of: collecting it, listing it, and asking whether any of it is unsafe."""
