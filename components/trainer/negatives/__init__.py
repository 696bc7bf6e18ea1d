"""Which items serve as negatives."""
