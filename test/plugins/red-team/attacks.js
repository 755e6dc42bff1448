// Attempts to get from plug-in code to the host, to other plug-ins and to the platform's inside. Each returns what it got
// hold of: nothing, or it throws, when all is well. `victim` is the URL of a blob of another plug-in.

const isGone = (value) => value === undefined || value === null;
// biome-ignore lint/security/noGlobalEval: attackers have it
const evaluate = eval;

/** Every object and function that can be reached from the global by properties, prototypes and symbols. */
function* reachable() {
  const seen = new Set();
  const open = [globalThis];
  const add = (value) => {
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') {
      if (!seen.has(value)) {
        seen.add(value);
        open.push(value);
      }
    }
  };
  while (open.length > 0) {
    const at = open.pop();
    yield at;
    let keys = [];
    try {
      keys = Reflect.ownKeys(at);
      add(Reflect.getPrototypeOf(at));
    } catch {}
    for (const key of keys) {
      const found = Reflect.getOwnPropertyDescriptor(at, key);
      add(found?.value);
      add(found?.get);
      add(found?.set);
      if (found?.get) {
        try {
          add(at[key]);
        } catch {}
      }
    }
  }
}

function frames(run) {
  const { prepareStackTrace } = Error;
  const found = [];
  Error.prepareStackTrace = (_, sites) => {
    found.push(...sites);
    return '';
  };
  try {
    run(() => new Error('x').stack);
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
  return found;
}

const nodeNames =
  'process require module exports global Buffer setImmediate __dirname __filename Deno Bun __valor_natives natives';

export const attacks = {
  // --- objects of the host
  'names of node': () =>
    nodeNames.split(' ').filter((name) => name in globalThis || evaluate(`typeof ${name}`) !== 'undefined'),
  'Function from the global': () => Function('return typeof process')() !== 'undefined',
  'Function of a platform function': () => fetch.constructor('return typeof process')() !== 'undefined',
  AsyncFunction: async () => (await (async () => {}).constructor('return typeof require')()) !== 'undefined',
  GeneratorFunction: () => function* () {}.constructor('yield typeof process')().next().value !== 'undefined',
  'indirect eval': () => evaluate('typeof process') !== 'undefined',
  'eval in a timer of text': async () => {
    globalThis.fromTimer = undefined;
    setTimeout('globalThis.fromTimer = typeof process', 0);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return globalThis.fromTimer !== undefined && globalThis.fromTimer !== 'undefined';
  },
  'the constructor of a platform object': () => new Headers().constructor.constructor('return this')() !== globalThis,
  'process through an error': () => {
    try {
      new URL('nonsense:');
      structuredClone(() => {});
    } catch (error) {
      return error.constructor.constructor('return typeof process')() !== 'undefined';
    }
  },
  'natives syntax of V8': () => evaluate('%DebugPrint(1)'),
  gc: () => typeof gc !== 'undefined',
  'd8 and inspector names': () =>
    ['d8', 'load', 'read', 'print', 'quit', 'version', 'inspector'].filter((n) => n in globalThis),
  'a console that reaches an inspector': () =>
    Object.keys(console).filter((key) => ['context', '_stdout', '_stderr'].includes(key)),
  'natives by walking all objects': () => {
    const inside =
      /^(loadLazy|setHooks|sharedModules|loadPart|refuse|failCall|readBody|cryptoKey\w*|markPlatform\w*|beginActivity|isolateInfo)$/;
    const found = [];
    for (const value of reachable()) {
      if (typeof value === 'function' && inside.test(value.name)) found.push(value.name);
    }
    return found;
  },
  'symbols with something inside': () => {
    const found = [];
    for (const value of reachable()) {
      for (const symbol of Object.getOwnPropertySymbols(value)) {
        if (
          Symbol.keyFor(symbol) === undefined &&
          !Object.getOwnPropertyNames(Symbol).some((name) => Symbol[name] === symbol)
        )
          found.push(String(symbol));
      }
    }
    return found.filter((name) => /intern|native|host/.test(name) && value(name));
    function value(name) {
      return name !== 'Symbol(internal)';
    }
  },
  'this of platform frames': () => {
    const found = [];
    const target = new EventTarget();
    target.addEventListener('x', () => found.push(...frames((stack) => stack())));
    target.dispatchEvent(new Event('x'));
    return found.filter((site) => {
      const script = site.getScriptNameOrSourceURL() ?? '';
      return script.startsWith('valor:') && (site.getThis() !== undefined || site.getFunction() !== undefined);
    }).length;
  },
  'the caller of a listener': () => {
    const listener = Function('return function listener() { return listener.caller; }')();
    let caller;
    const target = new EventTarget();
    target.addEventListener('x', () => {
      caller = Function('f', 'return f()')(listener);
    });
    target.dispatchEvent(new Event('x'));
    return typeof caller === 'function' && /native|valor:/.test(String(caller)) ? String(caller) : undefined;
  },
  'arguments.callee.caller': () => {
    let seen;
    const sloppy = Function(
      'keep',
      'return function () { keep(arguments.callee.caller); }',
    )((value) => {
      seen = value;
    });
    new URLSearchParams('a=1').forEach(sloppy);
    return seen;
  },

  // --- files of the host
  'import node:fs': () => import('node:fs'),
  // biome-ignore lint/style/useNodejsImportProtocol: the attempt
  'import fs': () => import('fs'),
  // biome-ignore lint/style/useNodejsImportProtocol: the attempt
  'import process': () => import('process'),
  'import a file by its path': () => import('/etc/passwd'),
  'import a file by its URL': () => import('file:///etc/passwd'),
  'import above the folder': () => import('../hostile.js'),
  'import above the folder, encoded': () => import('./%2e%2e/hostile.js'),
  'import above the folder, with encoded slashes': () => import('./x%2f..%2f..%2fhostile.js'),
  'import above the folder, with backslashes': () => import('.\\..\\hostile.js'),
  'import JSON of the host': () => import('/etc/os-release', { with: { type: 'json' } }),
  'import with a NUL': () => import('./victim.js\0.json'),
  'import a blob': () => import(URL.createObjectURL(new Blob(['export default 1'], { type: 'text/javascript' }))),
  'importScripts of a file': () => importScripts('/etc/passwd'),
  'importScripts above the folder': () => importScripts('../hostile.js'),
  'fetch a file': () => fetch('file:///etc/passwd'),
  'fetch a path of proc': () => fetch('/proc/self/environ').then((response) => response.ok && response.text()),
  'a source map of the host': () => {
    evaluate('//# sourceMappingURL=/etc/passwd\n1');
    return /root:/.test(new Error('x').stack);
  },
  'import.meta': () => Object.keys(import.meta).filter((key) => !['url', 'resolve'].includes(key)),
  'environment variables': () => ['env', 'argv', 'execPath'].filter((name) => name in navigator || name in location),

  // --- the network around the host
  'the registry from inside': () => fetch('/_plugins').then((response) => response.ok && response.text()),
  loopback: () => fetch('http://127.0.0.1:PORT/_plugins'),
  'loopback by name': () => fetch('http://localhost:PORT/_plugins'),
  'loopback by name with a dot': () => fetch('http://localhost.:PORT/_plugins'),
  'loopback as one number': () => fetch('http://2130706433:PORT/_plugins'),
  'loopback in hexadecimal': () => fetch('http://0x7f.1:PORT/_plugins'),
  'loopback in octal': () => fetch('http://0177.0.0.1:PORT/_plugins'),
  'loopback with full stops of another script': () => fetch('http://127\u30020\u30020\u30021:PORT/_plugins'),
  'loopback mapped into IPv6': () => fetch('http://[::ffff:127.0.0.1]:PORT/_plugins'),
  'loopback of IPv6': () => fetch('http://[::1]:PORT/_plugins'),
  'any address': () => fetch('http://0.0.0.0:PORT/_plugins'),
  'NAT64 of loopback': () => fetch('http://[64:ff9b::7f00:1]:PORT/_plugins'),
  'the cloud\u2019s metadata': () => fetch('http://169.254.169.254/latest/meta-data/'),
  'a private address': () => fetch('http://10.0.0.1/'),
  'another scheme': () => fetch('ftp://127.0.0.1/'),
  'a Unix socket': () => fetch('unix:/run/x.sock'),
  'a listening socket': () => ['listen', 'Server', 'WebSocketServer', 'TCPSocket'].filter((name) => name in globalThis),

  // --- other plug-ins
  'a blob of another plug-in': async (victim) => (await fetch(victim)).text(),
  'a channel of another plug-in': async () => {
    const channel = new BroadcastChannel('red-team');
    const got = await new Promise((resolve) => {
      channel.onmessage = ({ data }) => resolve(data);
      channel.postMessage('attacker');
      setTimeout(resolve, 200);
    });
    channel.close();
    return got;
  },
  'marks of another plug-in': () => performance.getEntries().filter(({ name }) => name.includes('victim')),
  'the global of another plug-in': () => globalThis.secret,
  'pollution of prototypes': () => {
    Object.prototype.polluted = Array.prototype.polluted = 'yes';
    globalThis.polluted = 'yes';
    JSON.stringify = () => 'polluted';
    Array.prototype.map = () => ['polluted'];
    Object.prototype.toString = () => 'polluted';
    return undefined; // the victim tells
  },
  'memory beyond a WebAssembly memory': () => {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 1 });
    const view = new DataView(memory.buffer);
    return view.getUint8(65536);
  },
  'fresh memory that holds something': () => {
    for (let i = 0; i < 200; i++) {
      const bytes = new Uint8Array(65536);
      for (let at = 0; at < bytes.length; at += 64) if (bytes[at] !== 0) return `${bytes[at]}`;
    }
  },
  'shared memory of another instance': () =>
    Object.keys(globalThis).filter((key) => globalThis[key] instanceof SharedArrayBuffer),

  // --- the platform's inside
  'illegal constructors': () => {
    const made = [];
    for (const name of [
      'AbortSignal',
      'Crypto',
      'SubtleCrypto',
      'CryptoKey',
      'Performance',
      'MessagePort',
      'FileList',
    ]) {
      try {
        new globalThis[name]();
        made.push(name);
      } catch {}
    }
    return made;
  },
  'members on a wrong receiver': () => {
    const got = [];
    for (const [type, key] of [
      [Headers, 'get'],
      [Response, 'text'],
      [Request, 'url'],
      [URL, 'href'],
      [Blob, 'size'],
      [EventTarget, 'dispatchEvent'],
      [AbortController, 'signal'],
      [TextDecoder, 'decode'],
      [MessagePort, 'postMessage'],
      [CryptoKey, 'type'],
    ]) {
      const { value, get } = Object.getOwnPropertyDescriptor(type.prototype, key);
      for (const receiver of [{}, Object.create(type.prototype), null, new Proxy(type.prototype, {})]) {
        try {
          const result = Reflect.apply(value ?? get, receiver, ['x']);
          if (!(result instanceof Promise)) got.push(key);
          else result.catch(() => {});
        } catch {}
      }
    }
    return got;
  },
  'a key that cannot be exported': async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']);
    const clone = structuredClone(key);
    Object.defineProperty(CryptoKey.prototype, 'extractable', { get: () => true, configurable: true });
    return crypto.subtle.exportKey('raw', clone);
  },
  'a forged line of the log': () => {
    console.log('x\n2026-01-01T00:00:00.000Z GET /forged 200 victim\r\n\x1b[2J');
    return undefined; // the log tells
  },
  'isTrusted of a forged event': () => {
    const event = new Event('fetch');
    Object.defineProperty(event, 'isTrusted', { value: true });
    dispatchEvent(event);
    return undefined;
  },
  'an answer for a request of another plug-in': () => {
    postMessage({ status: 200, headers: [['x-request-id', 'victims-request']], body: 'forged' });
    return undefined; // the victim's request tells
  },
  'a replaced instance global': () => {
    try {
      Object.setPrototypeOf(globalThis, null);
    } catch {}
    return undefined;
  },
};

export async function attempt(name, port, victim) {
  const attack = attacks[name];
  const text = String(attack).replaceAll('PORT', String(port));
  const run = text === String(attack) ? attack : evaluate(`(${text})`);
  let got;
  try {
    got = await run(victim);
  } catch (error) {
    return { refused: `${error?.name}: ${error?.message}` };
  }
  if (isGone(got) || got === false || got === 0 || (Array.isArray(got) && got.length === 0)) return { nothing: true };
  return {
    got:
      String(got?.status ?? (Array.isArray(got) ? got.join() : typeof got === 'object' ? Object.keys(got) : got)).slice(
        0,
        300,
      ) || 'something',
  };
}
