"""Does a text, a name or a secret come out where it must not? A real process on a bad day."""
