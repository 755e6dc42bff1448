// The seam between the runtime in the service worker and what is kept for it: store.ts implements it.
import type { Core, Definition } from '../core/core.ts';
import type { PluginFile } from '../instance/instance.ts';

/** A plug-in in force that browsers can run. Never changes: a change is another object with another version. */
export interface RegisteredPlugin {
  /** `url` and `web` are absolute. */
  definition: Definition;
  /** Another one with every replacement, also when only files changed: instances of other versions end. */
  version: number;
}

export interface Settings {
  /** 'page': in Workers of a page where there is one. */
  hosting: 'page' | 'service-worker';
}

/** Loaded once, when the service worker starts. */
export interface Registry {
  readonly plugins: readonly RegisteredPlugin[];
  readonly settings: Settings;
  /** Called after `plugins` or `settings` has changed. Set by the runtime. */
  onchange: (() => void) | null;
  /** A plug-in's file by absolute URL, verified. Rejects for what it does not have. */
  read(plugin: RegisteredPlugin, url: string): Promise<PluginFile>;
}

/** `scope`: absolute URL. */
export type OpenRegistry = (scope: string, core: Core) => Promise<Registry>;
