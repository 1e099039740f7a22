"""The wing that faces Genesys Cloud: its client, the webhook, the sender and the contacts."""
