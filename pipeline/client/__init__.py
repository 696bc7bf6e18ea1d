"""Asks a model for recommendations, in this process or from a server. For applications: `Recommender`.

    from pipeline.client.recommender import Recommender

    with Recommender.connect("http://localhost:8501") as recommender:
        answer = recommender.recommend("42", recent=["matrix", "alien"], k=5)
        print(answer.item_ids)

`Recommender.load("out/serving/caser")` asks the newest version in a folder instead. Errors that a caller can mend are
`components.errors.UserError`: a model or a server that is not there, a request that it refuses, a deadline.
"""
