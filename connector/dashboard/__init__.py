"""The dashboard: what the connector does, as it happens, and the levers of a person."""
