"""``bluesky-genesys setup``: ask, look, plan, and only then do.

``command`` tells the whole story. ``questions`` and ``given`` collect the answers, ``looking``
reads what there is in Genesys Cloud, ``deciding`` decides without doing anything, ``doing`` does
it one thing at a time, ``env_file`` keeps what was learnt, and ``telling`` says it all.
"""
