// What the lazy parts share with the snapshot. tools/bundle.ts puts the real content here: the modules that they import.

/** Modules by path below web/, each an object of its exports. Everything must have been evaluated. */
export function sharedModules(): object {
  return {};
}
