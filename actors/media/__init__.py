"""Files and pages that customers and agents name: fetched safely, and made fit for Bluesky.

Both wings use it and it knows neither. Which hosts may see a token is for those to say who have
one.
"""
