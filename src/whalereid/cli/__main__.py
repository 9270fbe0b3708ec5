"""`python -m whalereid.cli`, which is `python -m whalereid`."""

from whalereid.cli import main

if __name__ == "__main__":
    main()
