/** What the plug-in gets from its operator, and what stands for the network. */
export interface Options {
  config?: unknown;
  name?: string;
  location?: string;
  fetch?: typeof fetch;
}

export interface TestInstance {
  readonly log: { level: 'debug' | 'info' | 'warn' | 'error'; message: string }[];
  readonly memoryBytes: number;
  fetch(path?: string, init?: RequestInit): Promise<Response>;
  destroy(): void;
}

export function load(file: string | URL, options?: Options): Promise<TestInstance>;
