"""The wing that faces Bluesky: its client and session, three pollers and one sender."""
