"""Trains a style: see fasttransfer/cli/train.py."""

from fasttransfer.cli.train import main

if __name__ == "__main__":
    main()
