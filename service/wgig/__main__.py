"""`python -m wgig` is the command `wgig`."""

if __name__ == "__main__":  # worker processes for SHACL checks import this file, too
    from .cli.main import main

    raise SystemExit(main())
