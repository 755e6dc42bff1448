// `location` of a plug-in: the public URL of its mount. https://html.spec.whatwg.org/multipage/workers.html#worker-locations

const parts = ['href', 'origin', 'protocol', 'host', 'hostname', 'port', 'pathname', 'search', 'hash'] as const;

export type PluginLocation = Readonly<Record<(typeof parts)[number], string>>;

export function createLocation(href: string): PluginLocation {
  const url = new URL(href);
  const location = typeof WorkerLocation === 'function' ? Object.create(WorkerLocation.prototype) : {};
  for (const part of parts) Object.defineProperty(location, part, { get: () => url[part], enumerable: true });
  return Object.defineProperty(location, 'toString', { value: () => url.href });
}
