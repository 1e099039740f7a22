"""Puts the house together: settings, command line, wiring, HTTP routes."""
