// What other runtimes serve of the module that core.c becomes.
export function makeApp(module) {
  const { exports } = new WebAssembly.Instance(module);
  return {
    fetch(request) {
      const name = new URL(request.url).pathname.slice(1);
      return new Response(name in exports ? String(exports[name]() >>> 0) : 'ready');
    },
  };
}
