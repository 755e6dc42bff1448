// The modules of one plug-in: which file a specifier names, what each module imports and exports, and their evaluation.
// The rules are those of engine/modules.h. Code is never loaded by its URL: files come from `read`, verified.
//
// Two ways to run a module. Where the browser can (a Worker), it becomes a module at a blob: URL, in which specifiers are
// the blob: URLs of its imports. Modules in a circle, which cannot know each other's URL, and all modules in a service
// worker, which cannot load any, become functions: exports are getters, imports a scope of getters around the code.
import type { PluginFile } from '../instance.ts';
import { locateLike } from './errors.ts';
import { type ImportedName, ModuleSource } from './rewrite.ts';

export interface ModuleHost {
  read(url: string): Promise<PluginFile>;
  /** URL of the folder that imports may reach, with a slash at the end. */
  root: string;
  /** The scope around functions. */
  global: object;
  /** Whether the browser can load modules from blob: URLs. */
  blobs: boolean;
  /** Follows the URLs of functions in stacks. */
  tag: string;
}

/** The name on the global by which code in blobs finds import(). */
export const importer = '$valorImport';

type Namespace = Record<string, unknown>;
type Getter = () => unknown;

interface Module {
  /** Its kind, and the URL that was asked for. */
  key: string;
  /** After redirects. */
  url: string;
  /** null: JSON. */
  source: ModuleSource | null;
  /** Of JSON. */
  value: unknown;
  /** Of its requests, in order. */
  imports: Module[];
  /** Resolves when `imports` is complete. */
  loaded: Promise<void>;
  linked: Linked | null;
  evaluation: Promise<void> | null;
  namespace: Namespace | null;
}

interface LinkedFunction {
  run: () => void | Promise<void>;
  exports: Record<string, Getter>;
}

type Linked = { blob: string } | LinkedFunction;

const hasScheme = /^[a-z][a-z0-9+.-]*:/i;

// Spelled here once, so that a bundler leaves it alone.
const importUrl = (url: string): Promise<Namespace> => import(url);

export class ModuleLoader {
  readonly #host: ModuleHost;
  readonly #modules = new Map<string, Module>();

  constructor(host: ModuleHost) {
    this.#host = host;
  }

  /** Loads and runs the module at `url`, which was read already. */
  async run(url: string, file: PluginFile, text: string): Promise<object> {
    return this.#complete(this.#register(`script ${url}`, async () => [file, text], 'script'));
  }

  /** import(): `referrer` is the URL of the file that says so. */
  async import(specifier: unknown, options: unknown, referrer: string): Promise<object> {
    const wanted = `${specifier}`;
    const attributes = (options as { with?: object } | undefined)?.with ?? {};
    return this.#complete(this.#request(wanted, Object.entries(attributes), referrer));
  }

  // ---- loading

  /** Throws an Error for what cannot be imported. */
  #request(specifier: string, attributes: Iterable<readonly [string, string]>, referrer: string): Module {
    const name = `cannot import '${specifier}' in ${referrer}`;
    let type = '';
    for (const [key, value] of attributes) {
      if (key !== 'type') throw new Error(`${name}: unknown attribute '${key}'`);
      type = value;
    }
    const url = this.#locate(specifier, referrer, name);
    if (type !== '' && type !== 'json') throw new Error(`${name}: modules of type '${type}' are unknown`);
    if (new URL(url).pathname.endsWith('.json') !== (type === 'json')) {
      throw new Error(`${name}: ${type === '' ? "JSON needs with { type: 'json' }" : 'its name must end with .json'}`);
    }
    const kind = type === 'json' ? 'json' : 'script';
    const read = async (): Promise<[PluginFile, string]> => {
      try {
        const { hash } = new URL(url);
        const file = await this.#host.read(url.slice(0, url.length - hash.length));
        return [{ ...file, url: file.url + hash }, scriptText(file)];
      } catch (error) {
        throw new Error(`${name}: ${error instanceof Error ? error.message : error}`);
      }
    };
    return this.#register(`${kind} ${url}`, read, kind);
  }

  #locate(specifier: string, referrer: string, name: string): string {
    const { root } = this.#host;
    if (!/^\.{0,2}\//.test(specifier) && !hasScheme.test(specifier)) {
      throw new Error(
        `${name}: packages are not looked up; write a path that starts with ./ or ../, or bundle the plug-in with ` +
          'its packages into one file',
      );
    }
    const url = URL.parse(specifier, referrer);
    if (url?.href.startsWith(root)) {
      if (/%2f|%5c|%00/i.test(url.pathname)) throw new Error(`${name}: an encoded slash or NUL cannot name a file`);
      return url.href;
    }
    if (hasScheme.test(specifier)) {
      throw new Error(`${name}: only files in the plug-in's own folder can be imported, not URLs`);
    }
    throw new Error(`${name}: there is no such file in the plug-in's folder ${root}`);
  }

  #register(key: string, read: () => Promise<[PluginFile, string]>, kind: 'script' | 'json'): Module {
    const known = this.#modules.get(key);
    if (known) return known;
    const module: Module = {
      key,
      url: '',
      source: null,
      value: undefined,
      imports: [],
      loaded: Promise.resolve(),
      linked: null,
      evaluation: null,
      namespace: null,
    };
    const load = async (): Promise<void> => {
      const [file, text] = await read();
      module.url = file.url;
      if (kind === 'json') {
        this.#linkJson(module, text);
        return;
      }
      module.source = new ModuleSource(text, file.url);
      module.imports = module.source.analysis.requests.map(({ specifier, attributes }) =>
        this.#request(specifier, attributes, file.url),
      );
    };
    this.#modules.set(key, module);
    module.loaded = load();
    // Who waits for it hears of it.
    module.loaded.catch(() => {});
    return module;
  }

  /** The module and all that it imports, those that it imports first, except in circles. */
  async #closure(module: Module): Promise<Module[]> {
    const found = new Set([module]);
    // A Set tells also of what is added while it is walked through.
    for (const each of found) {
      await each.loaded;
      for (const next of each.imports) found.add(next);
    }
    return [...found].reverse();
  }

  async #complete(module: Module): Promise<object> {
    try {
      this.#link(await this.#closure(module));
    } catch (error) {
      // What it wants may be there the next time.
      this.#forget(module);
      throw error;
    }
    await this.#evaluate(module, new Set());
    return this.#namespace(module);
  }

  /** Those that are not linked yet. */
  #forget(module: Module): void {
    if (module.linked !== null || this.#modules.get(module.key) !== module) return;
    this.#modules.delete(module.key);
    for (const each of module.imports) this.#forget(each);
  }

  // ---- linking

  #link(modules: Module[]): void {
    let left = modules.filter(({ linked }) => linked === null);
    for (const module of left) for (const name of module.source!.analysis.imports) this.#check(module, name);
    for (const module of left) {
      for (const [, { imported, request }] of module.source!.analysis.reexports) {
        this.#check(module, { local: '', imported, request });
      }
    }
    if (this.#host.blobs) {
      for (let before = 0; before !== left.length; ) {
        before = left.length;
        left = left.filter((module) => {
          if (!module.imports.every(({ linked }) => linked !== null && 'blob' in linked)) return true;
          const urls = module.imports.map(({ linked }) => (linked as { blob: string }).blob);
          module.linked = { blob: blobOf(module.source!.asModule(urls, importer)) };
          return false;
        });
      }
    }
    // All are compiled before the first is linked, so that a mistake in one leaves the others for another attempt.
    const functions = left.map((module) => ({ module, make: module.source!.asFunction(this.#host.tag) }));
    for (const { module, make } of functions) this.#linkFunction(module, make);
  }

  #linkJson(module: Module, text: string): void {
    try {
      module.value = JSON.parse(text);
    } catch (error) {
      throw new SyntaxError(`${module.url}: ${(error as Error).message}`);
    }
    module.linked = this.#host.blobs
      ? { blob: blobOf(`export default ${importer}.json(${JSON.stringify(module.key)})`) }
      : { run: () => {}, exports: { default: () => module.value } };
  }

  /** For code in blobs. */
  jsonOf(key: string): unknown {
    return this.#modules.get(key)!.value;
  }

  #linkFunction(module: Module, make: ReturnType<ModuleSource['asFunction']>): void {
    const { analysis, defaultName } = module.source!;
    const imports = Object.create(null);
    for (const { local, imported, request } of analysis.imports) {
      const from = module.imports[request]!;
      let get: Getter | null = null;
      Object.defineProperty(imports, local, {
        enumerable: true,
        // Looked up when used: in a circle, not all is linked yet.
        get: () => {
          get ??= this.#getter(from, imported);
          return get();
        },
      });
    }
    const linked: LinkedFunction = { run: () => {}, exports: Object.create(null) };
    const steps = make({
      global: this.#host.global,
      imports,
      meta: Object.assign(Object.create(null), { url: module.url }),
      import: (specifier, options) => this.import(specifier, options, module.url),
      exports: (getters) => {
        linked.exports = getters;
      },
    }).call(undefined);
    // Up to where functions are declared.
    steps.next();
    linked.run = async () => {
      await steps.next();
      if (analysis.exports.get('default') !== defaultName) return;
      const value = linked.exports.default!();
      if (typeof value === 'function' && value.name === defaultName) {
        Object.defineProperty(value, 'name', { value: 'default', configurable: true });
      }
    };
    module.linked = linked;
  }

  /** Throws a SyntaxError when what is imported is not there. */
  #check(module: Module, { imported, request }: ImportedName): void {
    if (imported === null) return;
    const found = this.#resolve(module.imports[request]!, imported);
    if (typeof found !== 'string') return;
    const { specifier } = module.source!.analysis.requests[request]!;
    const does = found === 'missing' ? 'does not provide an export named' : 'contains conflicting star exports for';
    throw new SyntaxError(`The requested module '${specifier}' ${does} '${imported}' (imported by ${module.url})`);
  }

  /** https://tc39.es/ecma262/#sec-resolveexport: the module that declares it, and its name there; null: all of it. */
  #resolve(
    module: Module,
    name: string,
    seen: [Module, string][] = [],
  ): [Module, string | null] | 'missing' | 'ambiguous' {
    if (module.source === null) return name === 'default' ? [module, name] : 'missing';
    if (seen.some(([other, known]) => other === module && known === name)) return 'missing';
    seen.push([module, name]);
    const { exports, reexports, stars } = module.source.analysis;
    if (exports.has(name)) return [module, name];
    const passed = reexports.get(name);
    if (passed) {
      const from = module.imports[passed.request]!;
      return passed.imported === null ? [from, null] : this.#resolve(from, passed.imported, seen);
    }
    if (name === 'default') return 'missing';
    let found: [Module, string | null] | 'missing' = 'missing';
    for (const star of stars) {
      const next = this.#resolve(module.imports[star]!, name, seen);
      if (next === 'ambiguous') return next;
      if (next === 'missing') continue;
      if (found !== 'missing' && (found[0] !== next[0] || found[1] !== next[1])) return 'ambiguous';
      found = next;
    }
    return found;
  }

  #getter(module: Module, name: string | null): Getter {
    if (name === null) return () => this.#namespace(module);
    const found = this.#resolve(module, name);
    if (typeof found === 'string') return () => undefined;
    const [from, local] = found;
    if (local === null) return () => this.#namespace(from);
    const { linked } = from;
    if (linked && 'exports' in linked) return () => linked.exports[local]!();
    return () => from.namespace![local];
  }

  #namesOf(module: Module, seen = new Set<Module>()): Set<string> {
    if (module.source === null) return new Set(['default']);
    if (seen.has(module)) return new Set();
    seen.add(module);
    const { exports, reexports, stars } = module.source.analysis;
    const names = new Set([...exports.keys(), ...reexports.keys()]);
    for (const star of stars) {
      for (const name of this.#namesOf(module.imports[star]!, seen)) if (name !== 'default') names.add(name);
    }
    return names;
  }

  #namespace(module: Module): Namespace {
    if (module.namespace) return module.namespace;
    const names = [...this.#namesOf(module)].filter((name) => typeof this.#resolve(module, name) !== 'string');
    const namespace = Object.create(null);
    for (const name of names.sort()) {
      Object.defineProperty(namespace, name, { enumerable: true, get: this.#getter(module, name) });
    }
    Object.defineProperty(namespace, Symbol.toStringTag, { value: 'Module' });
    module.namespace = Object.preventExtensions(namespace) as Namespace;
    return module.namespace;
  }

  // ---- evaluation

  /** `above`: those that wait for it. */
  #evaluate(module: Module, above: Set<Module>): Promise<void> {
    module.evaluation ??= this.#run(module, above);
    return module.evaluation;
  }

  async #run(module: Module, above: Set<Module>): Promise<void> {
    const linked = module.linked!;
    if ('blob' in linked) {
      try {
        module.namespace = await importUrl(linked.blob);
      } catch (error) {
        this.#locateError(error, module);
        throw error;
      }
      return;
    }
    const waiting = new Set(above).add(module);
    for (const each of module.imports) if (!waiting.has(each)) await this.#evaluate(each, waiting);
    await linked.run();
  }

  /** The browser does not say which of several modules does not parse. */
  #locateError(error: unknown, module: Module, seen = new Set<Module>()): void {
    if (!(error instanceof SyntaxError) || seen.has(module)) return;
    seen.add(module);
    for (const each of module.imports) this.#locateError(error, each, seen);
    try {
      module.source?.asFunction();
    } catch (found) {
      locateLike(error, found as object);
    }
  }
}

export function blobOf(script: string): string {
  return URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
}

/** Throws an Error for what is no script. */
export function scriptText({ url, type, bytes }: PluginFile): string {
  if (type === 'text/html') throw new Error(`${url} is a page (text/html), not a script`);
  return new TextDecoder().decode(bytes);
}
