"""`python -m wgig` is the command `wgig`."""

from .cli import main

raise SystemExit(main())
