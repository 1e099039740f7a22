"""The sandbox page and the dashboard as a person uses them, in headless Chromium."""
