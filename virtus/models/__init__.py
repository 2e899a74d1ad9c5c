"""Vision transformers: their families, modules, weights and input, and one at work block by block."""
