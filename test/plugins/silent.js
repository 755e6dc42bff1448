// Listens to nothing.
