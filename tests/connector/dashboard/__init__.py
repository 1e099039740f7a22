"""The dashboard's server: who gets in, what is told, and what may be done."""
