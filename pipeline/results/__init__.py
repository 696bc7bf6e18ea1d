"""Results of a run: metrics.json and the HTML report."""
