/* A shared library, but no plug-in. */
int an_ordinary_function(void);
int an_ordinary_function(void) {
  return 1;
}
