"""BatchRecommender: recommendations for all users, on Beam."""
