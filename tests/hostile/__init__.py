"""Strangers at the door of the real process, while Genesys Cloud and customers go on as always."""
