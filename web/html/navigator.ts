// https://html.spec.whatwg.org/multipage/workers.html#the-workernavigator-object

import { natives } from '../natives.ts';
import { defineInterface, defineReadonly } from '../webidl/define.ts';

const internal = Symbol('internal');
const languages: readonly string[] = Object.freeze(['en']);

export class WorkerNavigator {
  // Only there for the brand check.
  #brand = true;

  constructor(token?: unknown) {
    if (token !== internal) throw new TypeError('Illegal constructor');
  }

  #check(): void {
    void this.#brand;
  }

  get userAgent(): string {
    this.#check();
    return 'Valor/0.1.0';
  }
  get hardwareConcurrency(): number {
    this.#check();
    return natives.isolateInfo().hardwareConcurrency;
  }
  get language(): string {
    this.#check();
    return languages[0] as string;
  }
  get languages(): readonly string[] {
    this.#check();
    return languages;
  }
  get onLine(): boolean {
    this.#check();
    return true;
  }

  // https://html.spec.whatwg.org/multipage/system-state.html#client-identification: fixed values.
  get appCodeName(): string {
    this.#check();
    return 'Mozilla';
  }
  get appName(): string {
    this.#check();
    return 'Netscape';
  }
  get appVersion(): string {
    this.#check();
    return 'Valor/0.1.0';
  }
  get platform(): string {
    this.#check();
    return '';
  }
  get product(): string {
    this.#check();
    return 'Gecko';
  }
}

export function installNavigator(global: object): void {
  defineInterface(global, WorkerNavigator, 'WorkerNavigator', { '': 0 });
  const navigator = new WorkerNavigator(internal);
  defineReadonly(global, 'navigator', () => navigator);
}
