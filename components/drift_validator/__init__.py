"""DriftValidator: compares the data with that of the last blessed model."""
