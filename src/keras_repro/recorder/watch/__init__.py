"""Watch Keras, and keep what it computes."""
