// The language's built-ins as they were before any plug-in ran. tools/capture-intrinsics.ts puts the real content here: what
// the platform's sources use.

/** To be called when a context was made: V8 adds some built-ins only then. */
export function captureLate(): void {}
