"""Product images: thumbnails of the images that listings name. Knows no products' owners."""
