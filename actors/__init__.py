"""What the connector does: eight actors, the words they exchange, and the translation."""
