// What the server says of its plug-ins.

export interface ServerPlugin {
  name: string;
  /** Without slashes at the ends. */
  prefix: string;
  /** As docs/plugins-builtin.md has it; null where the registry is off. */
  state: 'starting' | 'running' | 'failed' | null;
  requests: number;
  failures: number;
  error: string | null;
}

export interface ServerReport {
  reachable: boolean;
  /** Whether the registry answers us. */
  registry: boolean;
  plugins: ServerPlugin[];
}

interface Listed {
  name: string;
  definition: { prefix?: string };
  state: 'starting' | 'running' | 'failed';
  requests: number;
  failures: number;
  error: string | null;
}

/** Without the registry: those of the plug-in file that browsers load. */
export async function readServer(): Promise<ServerReport> {
  const registry = await read<{ plugins: Listed[] }>('/_plugins');
  if (registry.json) {
    const plugins = registry.json.plugins.map(({ name, definition, state, requests, failures, error }) => {
      return { name, prefix: definition.prefix ?? name, state, requests, failures, error };
    });
    return { reachable: true, registry: true, plugins };
  }
  const file = await read<{ plugins: { name: string; prefix?: string }[] }>('/_valor/plugins.json');
  const plugins = (file.json?.plugins ?? []).map(({ name, prefix }) => {
    return { name, prefix: prefix ?? name, state: null, requests: 0, failures: 0, error: null };
  });
  return { reachable: registry.reachable, registry: false, plugins };
}

async function read<T>(path: string): Promise<{ reachable: boolean; json?: T }> {
  try {
    const response = await fetch(path, { cache: 'no-store' });
    return response.ok ? { reachable: true, json: await response.json() } : { reachable: true };
  } catch {
    return { reachable: false };
  }
}
