"""Trains a style: see fasttransfer/train.py."""

from fasttransfer.train import main

if __name__ == "__main__":
    main()
