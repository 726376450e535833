"""What semantic routers read: embeddings, neighbours, text complexity, perplexity."""
