"""A camera, stylized live, on a page in the browser."""
