"""`python -m whalereid.cli`, which is `python -m whalereid`."""

from whalereid.cli.app import main

if __name__ == "__main__":
    main()
