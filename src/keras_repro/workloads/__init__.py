"""Plain Keras scripts that know nothing of this project."""
