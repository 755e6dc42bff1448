// What the console shows of platform objects, whose state is private: pairs of a name and a value.

export type Inspector<T extends object = object> = (object: T) => readonly (readonly [string, unknown])[];

const inspectors = new Map<object, Inspector<never>>();

/** `inspector` is asked for objects that inherit from `prototype`. It must not run code of the plug-in. */
export function registerInspector<T extends object>(prototype: object, inspector: Inspector<T>): void {
  inspectors.set(prototype, inspector);
}

/** The fields of a platform object; null for other objects, and where the object only pretends to be one. */
export function platformFields(object: object): readonly (readonly [string, unknown])[] | null {
  for (let holder: object | null = Object.getPrototypeOf(object); holder; holder = Object.getPrototypeOf(holder)) {
    const inspector = inspectors.get(holder);
    if (!inspector) continue;
    try {
      return (inspector as Inspector)(object);
    } catch {
      return null;
    }
  }
  return null;
}
