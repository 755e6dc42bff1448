// Subresource integrity of a plug-in's files, as core/integrity.h has it on the server.
// https://www.w3.org/TR/sri-2/
import type { Definition } from '../core/core.ts';
import type { PluginFile } from '../instance/instance.ts';

const algorithms = ['sha256', 'sha384', 'sha512'] as const;

/** What `definition` demands of the file at `url`; null: nothing is said of it. `entry`: URL of the plug-in's own file. */
export function demanded(definition: Definition, entry: string, url: string): string | null {
  const { integrity } = definition;
  if (integrity === undefined) return null;
  if (typeof integrity === 'string') return url === entry ? integrity : null;
  for (const [path, hashes] of Object.entries(integrity)) {
    if (new URL(path, entry).href === url) return hashes;
  }
  return null;
}

/** Rejects with a sentence that says what was expected and found, when `bytes` are not what `hashes` demand. */
export async function verify(hashes: string, bytes: ArrayBuffer, url: string): Promise<void> {
  const expected = hashes.split(/\s+/).filter(Boolean);
  const strongest = algorithms.findLast((algorithm) => expected.some((hash) => hash.startsWith(`${algorithm}-`)));
  if (!strongest) throw new Error(`${url}: integrity is "${hashes}", expected hashes like "sha384-..."`);
  const digest = new Uint8Array(await crypto.subtle.digest(strongest.replace('sha', 'SHA-'), bytes));
  const found = `${strongest}-${btoa(String.fromCharCode(...digest))}`;
  if (!expected.includes(found)) {
    throw new Error(`${url}: integrity does not match: expected ${hashes}, the file has ${found}`);
  }
}

/** Rejects what is not as the definition has it. Where that lists files, code that it does not list is not run. */
export async function verifyFile(definition: Definition, entry: string, url: string, file: PluginFile): Promise<void> {
  const hashes = demanded(definition, entry, url);
  if (hashes !== null) await verify(hashes, file.bytes, url);
  else if (typeof definition.integrity === 'object' && isCode(file)) {
    throw new Error(`${url}: is not one of the files that "integrity" of the plug-in "${definition.name}" lists`);
  }
}

/** A script or a WASM module, by its name or by its type. */
function isCode({ url, type }: PluginFile): boolean {
  return /\.([mc]?[jt]s|wasm)$/.test(new URL(url).pathname) || /(java|ecma|type)script$|^application\/wasm$/.test(type);
}
