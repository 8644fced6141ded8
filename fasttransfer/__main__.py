"""``python -m fasttransfer`` is the command ``fasttransfer``."""

from .cli.main import main

if __name__ == "__main__":
    main()
