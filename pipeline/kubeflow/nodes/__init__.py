"""What the compiler and the pods share."""
