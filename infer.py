"""Stylizes pictures, for instance: python infer.py style=NAME input=photo.jpg output=out.jpg"""

from fasttransfer.cli.infer import main

if __name__ == "__main__":
    main()
