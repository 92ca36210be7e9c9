"""Platforms to try gateways against: they sell by what they were told, and have bad days by a dial.

Written from what the platforms publish, without a look at our gateways: an import contract keeps them apart.
"""
