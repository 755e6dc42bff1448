// What a plug-in finds around itself.
const absent = ['process', 'require', 'Buffer', 'global', 'module', 'Deno', 'window', 'document'];
const present = [
  'self',
  'globalThis',
  'addEventListener',
  'postMessage',
  'console',
  'setTimeout',
  'clearTimeout',
  'setInterval',
  'clearInterval',
  'queueMicrotask',
  'structuredClone',
  'URL',
  'URLSearchParams',
  'TextEncoder',
  'TextDecoder',
  'Headers',
  'Request',
  'Response',
  'ReadableStream',
  'AbortController',
  'AbortSignal',
  'EventTarget',
  'Event',
  'MessageEvent',
  'DOMException',
  'location',
  'WebAssembly',
];
onmessage = () =>
  postMessage({
    status: 200,
    headers: [],
    body: JSON.stringify({
      wrong: [
        ...absent.filter((name) => name in globalThis),
        ...present.filter((name) => !(name in globalThis)).map((name) => `no ${name}`),
      ],
      selfIsGlobal: self === globalThis,
    }),
  });
