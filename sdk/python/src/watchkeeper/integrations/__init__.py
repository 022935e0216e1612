"""What watches other libraries, one module each. None imports its library before it is asked to watch it."""
