"""ItemsGen: files about items, such as titles and the blocklist, for the nodes that use them."""
