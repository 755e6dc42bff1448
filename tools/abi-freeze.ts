// The plug-in ABI is frozen: what was built against a version of it keeps running. This compares the ABI as it is with the
// record of its version (abi/vN.json) and with the last tag, where there is one. Allowed are additions at the end of the
// tables and of the heads, new constants, and comments; for anything else VALOR_ABI_VERSION has to grow.
//   tools/abi-freeze.ts            exit code 1 where something else has changed, or is not on record yet
//   tools/abi-freeze.ts --record   writes allowed additions, or a new version, on record
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Abi, parseAbi, readAbi, signature } from './abi-list.ts';

/** An ABI as text that a person can read in a review: functions as C declares them. */
export interface AbiRecord {
  version: number;
  host: string[];
  guest: string[];
  exports: string[];
  entry: string;
  structs: Record<string, string[]>;
  constants: Record<string, string>;
}

export function recordOf(abi: Abi): AbiRecord {
  const structs = abi.structs.map(({ name, fields }) => [name, fields.map(({ type, name }) => `${type} ${name}`)]);
  return {
    version: abi.version,
    host: abi.host.map(signature),
    guest: abi.guest.map(signature),
    exports: abi.exports.map(signature),
    entry: signature(abi.entry),
    structs: Object.fromEntries(structs),
    constants: abi.constants,
  };
}

// They lie in arrays, or within other structs: no member can be added.
const closedStructs = ['valor_span', 'valor_header'];

function listChanges(what: string, old: string[], now: string[], mayGrow: boolean): string[] {
  const all = old.flatMap((member, place) => {
    if (now[place] === member) return [];
    return [`${what}: member ${place + 1} was "${member}" and is ${now[place] ? `"${now[place]}"` : 'gone'}`];
  });
  if (!mayGrow && now.length > old.length) all.push(`${what}: nothing can be added, since others hold it`);
  return all;
}

/** What has changed that old plug-ins or old hosts cannot live with; empty where nothing has. */
export function changes(old: AbiRecord, now: AbiRecord): string[] {
  if (now.version > old.version) return [];
  if (now.version < old.version) return [`VALOR_ABI_VERSION was ${old.version} and is ${now.version}`];
  const all = [
    ...listChanges('valor_host', old.host, now.host, true),
    ...listChanges('valor_guest', old.guest, now.guest, true),
    // What a module has to export besides: old modules do not export more.
    ...listChanges('the exports of WASM', old.exports, now.exports, false),
    ...listChanges('what a native library exports', [old.entry], [now.entry], false),
  ];
  for (const [name, fields] of Object.entries(old.structs)) {
    all.push(...listChanges(name, fields, now.structs[name] ?? [], !closedStructs.includes(name)));
  }
  for (const [name, value] of Object.entries(old.constants)) {
    if (now.constants[name] === value) continue;
    all.push(`${name} was ${value} and is ${now.constants[name] ?? 'gone'}`);
  }
  return all;
}

function git(root: string, ...args: string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return undefined;
  }
}

/** The ABI at the last tag; undefined where there is no tag, as in a shallow clone, or it had no ABI in this form. */
function tagged(root: string): { tag: string; record: AbiRecord } | undefined {
  const tag = git(root, 'describe', '--tags', '--abbrev=0');
  const [header, list] = ['valor.h', 'valor-host.inc'].map((name) => tag && git(root, 'show', `${tag}:abi/${name}`));
  return tag && header && list ? { tag, record: recordOf(parseAbi(header, list)) } : undefined;
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What is wrong with the ABI in `root`; `record`: write what is allowed on record. */
export function check(root: string, record = false): string[] {
  const now = recordOf(readAbi(root));
  const file = join(root, `abi/v${now.version}.json`);
  const old = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as AbiRecord) : undefined;
  const wrong = old ? changes(old, now).map((change) => `${change} (abi/v${now.version}.json)`) : [];
  const last = tagged(root);
  if (last) wrong.push(...changes(last.record, now).map((change) => `${change} (tag ${last.tag})`));
  if (wrong.length > 0) {
    return [...wrong, 'Plug-ins that exist would break: undo this, or let VALOR_ABI_VERSION grow (docs/abi.md).'];
  }
  if (same(old, now)) return [];
  if (!record) return [`abi/v${now.version}.json does not have all of the ABI: run tools/abi-freeze.ts --record`];
  writeFileSync(file, `${JSON.stringify(now, null, 2)}\n`);
  return [];
}

if (import.meta.main) {
  const wrong = check(resolve(import.meta.dirname, '..'), process.argv.includes('--record'));
  for (const line of wrong) console.error(`abi: ${line}`);
  process.exitCode = wrong.length > 0 ? 1 : 0;
}
