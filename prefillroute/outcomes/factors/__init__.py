"""A latent-factor model of the outcome table: which outcomes hang together, and which are luck."""
