"""Client for recommendations, in process or from a server; applications use `Recommender`.

    from pipeline.client.recommender import Recommender

    with Recommender.connect("http://localhost:8501") as recommender:
        recommendations = recommender.recommend("42", recent=["matrix", "alien"], k=5)
        print(recommendations.item_ids)

`Recommender.load("out/serving/caser")` serves the newest version of a directory in process. Errors that the caller can
fix are `components.errors.UserError`: a missing model or server, a refused request, an exceeded deadline.
"""
