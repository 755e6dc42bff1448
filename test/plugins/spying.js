// Replaces every built-in of the language by one that notes its use, and then uses the platform: what is noted then was
// called by the platform, through something that a plug-in can change. The answer lists it by use.
const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
const noted = [];
let armed = false;

function note(name) {
  if (!armed || noted.length >= 2000) return;
  armed = false;
  defineProperty(noted, noted.length, { value: name, writable: true, enumerable: true, configurable: true });
  armed = true;
}

function spied(original, name) {
  const spy = {
    method(...args) {
      note(name);
      return apply(original, this, args);
    },
  }.method;
  if (original.prototype === undefined) return spy;
  function Spy(...args) {
    note(name);
    return new.target === undefined
      ? apply(original, this, args)
      : construct(original, args, new.target === Spy ? original : new.target);
  }
  for (const key of ownKeys(original)) {
    if (key !== 'prototype' && key !== 'length' && key !== 'name')
      defineProperty(Spy, key, getOwnPropertyDescriptor(original, key));
  }
  defineProperty(Spy, 'prototype', { value: original.prototype });
  return Spy;
}

/** Replaces the functions and getters of an object. */
function spyOn(holder, path) {
  for (const key of ownKeys(holder)) {
    const found = getOwnPropertyDescriptor(holder, key);
    if (!found.configurable || key === 'constructor') continue;
    const name = `${path}.${String(key)}`;
    if (typeof found.value === 'function') {
      defineProperty(holder, key, { ...found, value: spied(found.value, name) });
    } else if (found.get) {
      defineProperty(holder, key, { ...found, get: spied(found.get, `get ${name}`) });
    }
  }
}

const bytes = new Uint8Array([1, 2, 3]);
const text = 'h\u00e4ll\u00f6 w\u00f6rld';
const readable = () =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });

// Nothing but syntax and the platform in here.
const uses = {
  async response() {
    const response = new Response(text, { status: 201, headers: { 'x-one': ' 1 ', 'x-two': '2' } });
    const copy = response.clone();
    await response.text();
    await copy.arrayBuffer();
    await Response.json({ a: 1 }).json();
    Response.redirect('https://example.org/', 302);
    await new Response(bytes).bytes();
  },
  async request() {
    const request = new Request('https://example.org/a?b', { method: 'post', body: text, headers: [['a', 'b']] });
    const copy = new Request(request.clone(), { headers: { c: 'd' } });
    await copy.text();
    request.url + request.method + request.mode + request.credentials;
    request.signal.aborted;
  },
  headers() {
    const headers = new Headers({ b: '1', a: '2', 'set-cookie': 'x' });
    headers.append('a', '3');
    headers.get('a');
    headers.has('b');
    headers.set('b', '2');
    headers.delete('b');
    headers.getSetCookie();
    headers.forEach(() => {});
  },
  url() {
    const url = new URL('../a/./b?x=1&y=2#z', 'https://user:pass@example.org:8443/c/d');
    url.searchParams.append('q', text);
    url.searchParams.sort();
    url.searchParams.delete('x');
    url.pathname = '/e f';
    url.href + url.origin + url.host + url.toString();
    URL.canParse('x:');
    URL.parse('https://example.org/');
    new URLSearchParams('a=1&b=%20+').toString();
    new URLSearchParams({ a: '1' }).get('a');
  },
  encoding() {
    const encoded = new TextEncoder().encode(text);
    new TextDecoder().decode(encoded);
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(encoded, { stream: true });
    new TextDecoder('windows-1252').decode(encoded);
    new TextDecoder('utf-16le').decode(encoded);
    new TextEncoder().encodeInto(text, new Uint8Array(4));
    atob(btoa('abc'));
  },
  events() {
    const target = new EventTarget();
    const listener = () => {};
    target.addEventListener('a', listener, { once: true });
    target.addEventListener('b', { handleEvent() {} }, true);
    target.dispatchEvent(new Event('a'));
    target.dispatchEvent(new CustomEvent('b', { detail: 1, cancelable: true }));
    target.removeEventListener('a', listener);
    new MessageEvent('message', { data: 1 }).data;
    new ErrorEvent('error', { message: 'x' }).message;
  },
  aborting() {
    const controller = new AbortController();
    const any = AbortSignal.any([controller.signal, AbortSignal.timeout(100000)]);
    any.addEventListener('abort', () => {});
    any.onabort = () => {};
    controller.abort();
    any.reason;
    try {
      any.throwIfAborted();
    } catch {}
  },
  async timers() {
    const timer = setTimeout(() => {}, 100000);
    clearTimeout(timer);
    clearInterval(setInterval(() => {}, 100000));
    await new NativePromise((resolve) => setTimeout(resolve, 1, 1));
    queueMicrotask(() => {});
  },
  cloning() {
    structuredClone({ a: [1, bytes, { b: text }] });
    structuredClone(new DOMException('x', 'DataError')).code;
    structuredClone(new Blob(['x'])).size;
  },
  async blobs() {
    const blob = new Blob(['a\r\nb', bytes, new Blob(['c'])], { type: 'Text/Plain', endings: 'native' });
    await blob.text();
    await blob.slice(1, 3, 'x/y').arrayBuffer();
    await blob.bytes();
    const file = new File([blob], 'name', { lastModified: 1 });
    file.name + file.size;
    const url = URL.createObjectURL(file);
    URL.revokeObjectURL(url);
    await new NativePromise((resolve) => {
      const reader = new FileReader();
      reader.onload = resolve;
      reader.readAsDataURL(blob);
    });
    new FileReaderSync().readAsText(blob);
  },
  async forms() {
    const form = new FormData();
    form.append('a', 'b');
    form.append('f', new Blob(['x']), 'f.txt');
    form.set('a', 'c');
    form.getAll('a');
    const response = new Response(form);
    const parsed = await response.formData();
    parsed.get('f').name;
    form.delete('a');
    await new Response(new URLSearchParams({ a: 'b' })).formData();
  },
  async streams() {
    const reader = readable().getReader();
    await reader.read();
    reader.releaseLock();
    await readable().cancel();
    const [one, two] = NativeSlice(readable().tee());
    const canceled = one.cancel();
    await two.cancel();
    await canceled;
    await readable()
      .pipeThrough(new TransformStream())
      .pipeTo(new WritableStream({ write() {} }));
  },
  async 'streams of bodies'() {
    await new Response(readable()).text();
    const reader = new Response(text).body.getReader();
    await reader.read();
    await new Response(readable().pipeThrough(new TransformStream())).arrayBuffer();
  },
  async compression() {
    const zipped = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'));
    await new Response(zipped.pipeThrough(new DecompressionStream('gzip'))).text();
  },
  async 'encoding streams'() {
    const encoded = readable().pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream());
    await new Response(encoded).text();
  },
  async digests() {
    crypto.getRandomValues(new Uint8Array(4));
    crypto.randomUUID();
    await crypto.subtle.digest('SHA-256', bytes);
  },
  async keys() {
    const hmac = await crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign', 'verify']);
    const signature = await crypto.subtle.sign('HMAC', hmac, bytes);
    await crypto.subtle.verify('HMAC', hmac, signature, bytes);
    const jwk = await crypto.subtle.exportKey('jwk', hmac);
    await crypto.subtle.importKey('jwk', jwk, { name: 'HMAC', hash: 'SHA-256' }, true, ['sign']);
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
    await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, bytes);
    const aes = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt', 'decrypt']);
    await crypto.subtle.encrypt({ name: 'AES-GCM', iv: new Uint8Array(12) }, aes, bytes);
    const base = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveBits']);
    await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: bytes, iterations: 1 }, base, 128);
    aes.usages;
    aes.algorithm;
  },
  async messaging() {
    const { port1, port2 } = new MessageChannel();
    await new NativePromise((resolve) => {
      port2.onmessage = resolve;
      port1.postMessage({ a: bytes });
    });
    port1.close();
    const channel = new BroadcastChannel('x');
    channel.postMessage(1);
    channel.close();
  },
  performance() {
    performance.now();
    performance.mark('a', { detail: 1 });
    performance.measure('b', 'a');
    performance.getEntriesByName('a');
    performance.clearMarks();
    new PerformanceObserver(() => {}).observe({ entryTypes: ['mark'] });
  },
  async scheduling() {
    await scheduler.postTask(() => 1, { priority: 'background', signal: new TaskController().signal });
    await scheduler.yield();
  },
  patterns() {
    const pattern = new URLPattern({ pathname: '/a/:b' });
    pattern.test('https://example.org/a/1');
    pattern.exec('https://example.org/a/1');
    const whole = new URLPattern('https://*.example.org/{:x-}?:id(\\d+)*\\?a=:b#*', { ignoreCase: true });
    whole.exec('https://a.example.org/x-1?a=2#3');
    URLPattern.compareComponent('pathname', pattern, whole);
    if (new URLPattern('../b', 'https://example.org/a/').pathname + whole.hasRegExpGroups !== '/btrue') throw 0;
  },
  async webassembly() {
    const body = '\0asm\x01\0\0\0';
    const response = new Response(body, { headers: { 'content-type': 'application/wasm' } });
    await WebAssembly.instantiateStreaming(response);
  },
  console() {
    console.log('%s is %d', text, 1, { a: [1, 2, { b: null }] });
    console.error(new NativeError('x'));
    console.table([{ a: 1 }, { a: 2 }]);
    console.count('x');
    console.group('x');
    console.groupEnd();
    console.time('x');
    console.timeEnd('x');
    console.assert(false, 'x');
  },
  scope() {
    location.href + navigator.userAgent + self.origin + name + isSecureContext;
    reportError(new NativeError('x'));
    new DOMException('x', 'AbortError').stack;
  },
  async 'a refused fetch'() {
    try {
      await fetch('http://127.0.0.1:1/', { method: 'POST', body: text, headers: { a: 'b' } });
    } catch {}
    await (await fetch('data:text/plain;charset=utf-8,a%20b')).text();
  },
};

const NativePromise = Promise;
const NativeError = Error;
const NativeSlice = (pair) => ({
  __proto__: null,
  [SymbolIterator]: () => {
    let at = 0;
    return { next: () => (at < 2 ? { value: pair[at++], done: false } : { value: undefined, done: true }) };
  },
});
const SymbolIterator = Symbol.iterator;
const names = Object.keys(uses);

function spyOnEverything() {
  const generator = getPrototypeOf(function* () {});
  const asyncGenerator = getPrototypeOf(async function* () {});
  const iterators = {
    Iterator: getPrototypeOf(getPrototypeOf([][SymbolIterator]())),
    ArrayIterator: getPrototypeOf([][SymbolIterator]()),
    MapIterator: getPrototypeOf(new Map().entries()),
    SetIterator: getPrototypeOf(new Set().values()),
    StringIterator: getPrototypeOf(''[SymbolIterator]()),
    RegExpStringIterator: getPrototypeOf('a'.matchAll(/a/g)),
    Generator: generator.prototype,
    AsyncGenerator: asyncGenerator.prototype,
    AsyncIterator: getPrototypeOf(asyncGenerator.prototype),
    TypedArray: getPrototypeOf(Uint8Array),
    'TypedArray.prototype': getPrototypeOf(Uint8Array.prototype),
  };
  const language = `Object Function Array String Number Boolean BigInt Symbol Error TypeError RangeError SyntaxError EvalError
    ReferenceError URIError AggregateError Promise Map Set WeakMap WeakSet WeakRef FinalizationRegistry RegExp Date
    ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array
    BigInt64Array BigUint64Array Float32Array Float64Array Proxy`;
  const functions = 'parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent encodeURI decodeURI';
  const lists = [language.split(/\s+/), functions.split(' ')];
  const holders = ['Math', 'JSON', 'Reflect', 'Atomics', 'Intl'];
  const targets = [];
  for (const path of Object.keys(iterators)) targets.push([iterators[path], path]);
  for (const name of holders) targets.push([globalThis[name], name]);
  for (const name of lists[0])
    targets.push([globalThis[name], name], [globalThis[name].prototype, `${name}.prototype`]);
  const replaced = [];
  for (const name of [...lists[0], ...lists[1]]) replaced.push([name, spied(globalThis[name], name)]);
  for (let at = 0; at < targets.length; at++) if (targets[at][0]) spyOn(targets[at][0], targets[at][1]);
  for (let at = 0; at < replaced.length; at++) {
    defineProperty(globalThis, replaced[at][0], { value: replaced[at][1], writable: true, configurable: true });
  }
}

const stringify = JSON.stringify;
let spying = false;

/** Runs one use and returns what it called that a plug-in can replace, with how often. */
async function run(name) {
  if (!spying) spyOnEverything();
  spying = true;
  noted.length = 0;
  let failed;
  armed = true;
  try {
    await uses[name]();
  } catch (error) {
    armed = false;
    failed = `${error.stack}`;
  }
  armed = false;
  const counts = {};
  for (let i = 0; i < noted.length; i++) counts[noted[i]] = (counts[noted[i]] ?? 0) + 1;
  return stringify({ failed, counts });
}

const decode = decodeURIComponent;

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    return new Response(pathname.length < 2 ? stringify(names) : await run(decode(pathname.slice(1))));
  },
};
