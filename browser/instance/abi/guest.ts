// The code of a plug-in: a module's instance and its memory, and who may call whom. The guest's functions run one at a
// time and never inside one another: what the host has to tell it while its code runs waits until that has returned.
import type { Problem } from '../instance.ts';
import { INVALID, NO_INSTANCE } from './codes.ts';
import type { LoadedModule } from './module.ts';
import { type guestFunctions, type HostCalls, type HostFunction, hostFunctions } from './signatures.ts';
import { readableStack } from './stack.ts';

type Value = number | bigint;
type GuestFunction = keyof typeof guestFunctions;
type Exports = Partial<Record<GuestFunction, (...values: Value[]) => number>>;

/** The first block that is asked for: most heads of requests fit. */
const firstBlock = 2048;

/** The end of an instance, in a sentence of ours. */
export class Breakdown extends Error {}

export interface GuestOptions {
  loaded: LoadedModule;
  /** The module's file, for stacks. */
  file: string;
  memoryMb: number;
  calls: HostCalls;
  /** A rule was broken: for the log. */
  mistake(text: string): void;
  /** It cannot go on; nothing of it is called any more. Called once, maybe while its code still runs. */
  broken(problem: Problem): void;
  /** Its code has returned, and nothing waits to be told. */
  idle(): void;
}

let lastNumber = 0n;

export class Guest {
  readonly number = ++lastNumber;
  #options: GuestOptions;
  #exports: Exports = {};
  #memory: WebAssembly.Memory | undefined;
  #self = 0;
  #block = 0;
  #blockSize = 0;
  #running = false;
  #due: (() => void)[] = [];
  #stopped: Error | undefined;
  #told = false;

  constructor(options: GuestOptions) {
    this.#options = options;
  }

  get over(): boolean {
    return this.#stopped !== undefined;
  }

  /** Runs `work`, which may call the guest: now, or after what runs. */
  run(work: () => void): void {
    this.#due.push(work);
    if (this.#running) return;
    this.#running = true;
    for (let next = this.#due.shift(); next; next = this.#due.shift()) {
      try {
        if (!this.#stopped) next();
      } catch (error) {
        this.stop(error as Error);
      }
      this.#tell();
    }
    this.#running = false;
    this.#options.idle();
  }

  /** The instance is over. Does little, because there may be no stack left. */
  stop(why: Error): void {
    this.#stopped ??= why;
  }

  /** From an import: as stop(), at once, also for a guest that catches what is thrown and does not return. */
  abort(why: string): never {
    const error = new Breakdown(why);
    this.stop(error);
    this.#tell();
    throw error;
  }

  /** Without a word: it has been given up. */
  silence(): void {
    this.#told = true;
    this.stop(new Breakdown());
  }

  #tell(): void {
    const error = this.#stopped;
    if (!error || this.#told) return;
    const { file, loaded, broken } = this.#options;
    const stack = readableStack(String(error.stack), file, loaded.movedBytes);
    const what = error.message.replace(/^WebAssembly\.\w+\(\): /, '');
    const at = stack && ` (${stack.split('\n', 1)[0]})`;
    const detail = error instanceof Breakdown ? what : `The plug-in trapped: ${what}${at}.`;
    broken({ status: 502, detail, ...(stack && { stack }) });
    this.#told = true;
  }

  // ---- in run()

  /** Makes the instance and calls valor_create(). */
  create(): void {
    const imports: Record<string, (...values: Value[]) => Value> = {};
    for (const name of Object.keys(hostFunctions) as HostFunction[]) imports[name] = this.#import(name);
    const { exports } = new WebAssembly.Instance(this.#options.loaded.module, { valor: imports });
    this.#exports = exports as unknown as Exports;
    this.#memory = exports.memory as WebAssembly.Memory;
    this.#exports._initialize?.();
    const version = this.#call('valor_abi') >>> 0;
    if (version !== 1) {
      throw new Breakdown(
        `${this.#options.file}: needs version ${version} of the plug-in ABI, and this Valor speaks version 1: compile it with this Valor's SDK`,
      );
    }
    this.#self = this.#call('valor_create', this.number);
  }

  start(request: bigint, head: Uint8Array): void {
    this.#call('valor_start', this.#self, request, this.#put(head), head.length);
  }

  complete(operation: bigint, status: number, data?: Uint8Array): void {
    this.#call('valor_complete', this.#self, operation, status, data ? this.#put(data) : 0, data?.length ?? 0);
  }

  drop(request: bigint, reason: number): void {
    this.#call('valor_drop', this.#self, request, reason);
  }

  destroy(): void {
    this.#call('valor_destroy', this.#self);
  }

  #call(name: GuestFunction, ...values: Value[]): number {
    return this.#exports[name]!(...values);
  }

  /** Copies to the block that the guest has given for such. */
  #put(data: Uint8Array): number {
    if (data.length > this.#blockSize) this.#growBlock(data.length);
    new Uint8Array(this.#memory!.buffer).set(data, this.#block);
    return this.#block;
  }

  #growBlock(size: number): void {
    const wanted = Math.max(firstBlock, 2 ** Math.ceil(Math.log2(size)));
    const old = this.#blockSize;
    this.#blockSize = 0;
    if (old) this.#call('valor_free', this.#block, old);
    this.#block = this.#call('valor_alloc', wanted | 0) >>> 0;
    const asked = `valor_alloc(${wanted}) returned ${this.#block}`;
    const breaks = 'The plug-in breaks the plug-in ABI: ';
    if (!this.#block) {
      throw new Breakdown(`The plug-in has no memory left: ${asked} (memory_mb: ${this.#options.memoryMb}).`);
    }
    if (this.#block % 8) throw new Breakdown(`${breaks}${asked}, which is not aligned to 8 bytes.`);
    if (this.#block + wanted > this.#memory!.buffer.byteLength) {
      throw new Breakdown(`${breaks}${asked}, which is not within its memory.`);
    }
    this.#blockSize = wanted;
  }

  // ---- what the guest calls

  #import(name: HostFunction): (...values: Value[]) => Value {
    const [letters = '', wide] = hostFunctions[name].split('>');
    const call = this.#options.calls[name] as (...parameters: unknown[]) => Value;
    return (...values) => {
      if (this.#stopped || !this.#running) throw new Breakdown('stopped');
      try {
        const parameters = this.#parameters(name, letters, values);
        const result = typeof parameters === 'number' ? parameters : call(...parameters);
        return wide ? BigInt(result) : Number(result);
      } catch (error) {
        // As where the stack ends within the host. The guest may catch it, but nobody knows what has been done.
        this.stop(error as Error);
        throw error;
      }
    };
  }

  /** A number: the call is refused with it. */
  #parameters(name: string, letters: string, values: Value[]): unknown[] | number {
    const parameters: unknown[] = [];
    let refused = 0;
    let at = 0;
    for (const letter of letters) {
      const value = values[at++]!;
      if (letter === 'n') {
        if (BigInt.asUintN(64, value as bigint) !== this.number) refused = NO_INSTANCE;
      } else if (letter === 'u') {
        parameters.push(BigInt.asUintN(64, value as bigint));
      } else if (letter === 'i') {
        parameters.push((value as number) >>> 0);
      } else {
        const pointer = (value as number) >>> 0;
        const size = (values[at++] as number) >>> 0;
        const memory = this.#memory?.buffer ?? new ArrayBuffer();
        if (size > 0 && pointer + size > memory.byteLength) {
          this.#options.mistake(
            `${name}(): ${size} bytes at ${pointer} are not within the plug-in's memory, which has ${memory.byteLength}`,
          );
          refused ||= INVALID;
        } else {
          parameters.push(size > 0 ? new Uint8Array(memory, pointer, size) : new Uint8Array());
        }
      }
    }
    return refused || parameters;
  }
}
