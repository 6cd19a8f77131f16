"""`python -m wgig` is the command `wgig`."""

if __name__ == "__main__":  # processes that are started for a check run this file, too
    from .cli.main import main

    raise SystemExit(main())
