"""What `python -m ganzoo.generate` does with a trained model: it draws, and it converts."""
