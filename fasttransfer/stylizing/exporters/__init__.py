"""Styles as files of other programs, a module for each format; ``formats`` lists them."""
