"""`python -m pipeline` is `caser`."""

from pipeline.cli.main import main

if __name__ == "__main__":
    main(prog_name="caser")
