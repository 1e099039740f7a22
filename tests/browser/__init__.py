"""The sandbox page as a person uses it, in headless Chromium."""
