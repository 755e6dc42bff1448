// generate-idl.ts OUT: turns the interfaces of the standards (npm @webref/idl) into a module that web/webidl/bind.ts
// reads: for each interface, dictionary and enumeration that a worker sees an export of its name. What is not imported is not
// bundled.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'webidl2';

const specs = [
  ...['webidl', 'dom', 'html', 'url', 'encoding', 'streams', 'FileAPI', 'compression', 'hr-time', 'user-timing'],
  ...['performance-timeline', 'urlpattern', 'fetch', 'xhr', 'scheduling-apis', 'webcrypto'],
];

// biome-ignore lint/suspicious/noExplicitAny: webidl2 has no types of its own
type Node = any;

const folder = dirname(createRequire(import.meta.url).resolve('@webref/idl'));
const definitions: Node[] = specs.flatMap((spec) => parse(readFileSync(join(folder, `${spec}.idl`), 'utf8')));

const attribute = (node: Node, name: string): Node => node.extAttrs.find((entry: Node) => entry.name === name);

/** Whether [Exposed] names a dedicated worker; undefined without it. */
function exposed(node: Node): boolean | undefined {
  const found = attribute(node, 'Exposed');
  if (!found) return undefined;
  const values = found.rhs.type === '*' ? ['*'] : [found.rhs.value].flat().map((value: Node) => value.value ?? value);
  return values.some((value: string) => ['*', 'Worker', 'DedicatedWorker'].includes(value));
}

const named = new Map<string, Node>();
const partials = new Map<string, Node[]>();
const mixins = new Map<string, string[]>();
for (const node of definitions) {
  if (node.type === 'includes') mixins.set(node.target, [...(mixins.get(node.target) ?? []), node.includes]);
  else if (node.partial) partials.set(node.name, [...(partials.get(node.name) ?? []), node]);
  else named.set(node.name, node);
}

function membersOf(name: string): Node[] {
  const parts = [named.get(name), ...(partials.get(name) ?? [])].filter((part) => part && exposed(part) !== false);
  const own = parts.flatMap((part) => part.members);
  const included = (mixins.get(name) ?? []).flatMap(membersOf);
  return [...own, ...included].filter((member) => exposed(member) !== false);
}

const simple: Record<string, string> = {
  any: 'any',
  undefined: 'any',
  object: 'object',
  boolean: 'boolean',
  DOMString: 'DOMString',
  USVString: 'USVString',
  ByteString: 'ByteString',
  double: 'double',
  'unrestricted double': 'unrestrictedDouble',
  float: 'double',
  'unrestricted float': 'unrestrictedDouble',
  ArrayBuffer: 'arrayBuffer',
  ArrayBufferView: 'arrayBufferView',
  BufferSource: 'bufferSource',
  Function: 'callback',
};
const integers: Record<string, [number, boolean]> = {
  byte: [8, true],
  octet: [8, false],
  short: [16, true],
  'unsigned short': [16, false],
  long: [32, true],
  'unsigned long': [32, false],
  'long long': [64, true],
  'unsigned long long': [64, false],
};

const text = JSON.stringify;

/** The expression that gives a type of web/webidl/types.ts. */
function typeOf(type: Node, extAttrs: Node[] = []): string {
  const attributes = [...extAttrs, ...(type.extAttrs ?? [])];
  if (type.nullable) return `t.nullable(${typeOf({ ...type, nullable: false }, extAttrs)})`;
  if (type.union) return `t.union([${type.idlType.map((member: Node) => typeOf(member, extAttrs)).join(', ')}])`;
  if (type.generic) {
    const inner = type.idlType.map((member: Node) => typeOf(member));
    if (type.generic === 'sequence' || type.generic === 'FrozenArray' || type.generic === 'ObservableArray') {
      return `t.sequence(${inner[0]})`;
    }
    if (type.generic === 'record') return `t.record(${inner.join(', ')})`;
    return 't.any';
  }
  const name = type.idlType as string;
  const has = (wanted: string): boolean => attributes.some((entry) => entry.name === wanted);
  if (name === 'DOMString' && has('LegacyNullToEmptyString')) return 't.nullToEmptyString';
  if (name in integers) {
    const [bits, signed] = integers[name]!;
    const mode = has('EnforceRange') ? 'enforceRange' : has('Clamp') ? 'clamp' : 'wrap';
    return `t.integer(${bits}, ${signed}, ${text(mode)})`;
  }
  if (name in simple) return `t.${simple[name]}`;
  if (/^(Big)?(Int|Uint|Float)(8|16|32|64)(Clamped)?Array$|^DataView$/.test(name)) return `t.view(${text(name)})`;
  const found = named.get(name);
  switch (found?.type) {
    case 'typedef':
      return typeOf(found.idlType, [...attributes, ...found.extAttrs]);
    case 'dictionary':
    case 'enum':
      return `t.later(() => ${name})`;
    case 'callback':
    case 'callback interface':
      return attribute(found, 'LegacyTreatNonObjectAsNull')
        ? 't.handler'
        : found.type === 'callback'
          ? 't.callback'
          : 't.object';
    default:
      // Also interfaces that workers do not see: nothing is one of them.
      return `t.instance(${text(name)})`;
  }
}

function defaultOf(value: Node): string {
  switch (value?.type) {
    case 'string':
      return `() => ${text(value.value)}`;
    case 'number':
      return `() => ${value.value}`;
    case 'boolean':
      return `() => ${value.value}`;
    case 'null':
      return '() => null';
    case 'sequence':
      return '() => []';
    case 'Infinity':
      return `() => ${value.negative ? '-' : ''}Infinity`;
    case 'dictionary':
      return 't.emptyDictionary';
    default:
      return 'undefined';
  }
}

/** [how many are required, the types, the defaults, whether the last one repeats] */
function argumentsOf(overloads: Node[]): string {
  const longest = overloads.reduce((a, b) => (b.arguments.length > a.arguments.length ? b : a));
  const required = Math.min(
    ...overloads.map(
      (overload) => overload.arguments.filter((entry: Node) => !entry.optional && !entry.variadic).length,
    ),
  );
  const types = longest.arguments.map((_: Node, at: number) => {
    const choices = [
      ...new Set(
        overloads
          .flatMap((overload) => overload.arguments[at] ?? [])
          .map((entry: Node) => typeOf(entry.idlType, entry.extAttrs)),
      ),
    ];
    return choices.length === 1 ? choices[0] : `t.union([${choices.join(', ')}])`;
  });
  const defaults = longest.arguments.map((argument: Node) => defaultOf(argument.default));
  const variadic = longest.arguments.some((argument: Node) => argument.variadic);
  return `{ required: ${required}, types: [${types.join(', ')}], defaults: [${defaults.join(', ')}], variadic: ${variadic} }`;
}

const isPromise = (type: Node): boolean => type?.generic === 'Promise';

function interfaceOf(node: Node): string {
  const members = membersOf(node.name);
  const lines: string[] = [];
  const operations = new Map<string, Node[]>();
  let iterable = '';
  let constructors: Node[] = [];
  for (const member of members) {
    switch (member.type) {
      case 'constructor':
        constructors = [...constructors, member];
        break;
      case 'const':
        lines.push(`{ kind: 'constant', name: ${text(member.name)}, value: ${member.value.value} }`);
        break;
      case 'attribute': {
        const type = member.idlType.idlType;
        const handler = type === 'EventHandler' || type === 'OnErrorEventHandler';
        const fields = [
          `kind: ${handler ? "'handler'" : "'attribute'"}`,
          `name: ${text(member.name)}`,
          `static: ${member.special === 'static'}`,
          `promise: ${isPromise(member.idlType)}`,
          `json: ${jsonable(member.idlType)}`,
        ];
        if (!member.readonly && !handler) fields.push(`set: ${typeOf(member.idlType, member.extAttrs)}`);
        if (attribute(member, 'Replaceable')) fields.push('replaceable: true');
        const forwards = attribute(member, 'PutForwards');
        if (forwards) fields.push(`forwards: ${text(forwards.rhs.value)}`);
        lines.push(`{ ${fields.join(', ')} }`);
        if (member.special === 'stringifier') lines.push(`{ kind: 'stringifier', attribute: ${text(member.name)} }`);
        break;
      }
      case 'operation':
        if (member.special === 'stringifier' && !member.name) lines.push("{ kind: 'stringifier' }");
        else if (attribute(member, 'Default')) lines.push("{ kind: 'toJSON' }");
        else if (member.name) operations.set(member.name, [...(operations.get(member.name) ?? []), member]);
        break;
      case 'iterable':
        if (!member.async) iterable = member.idlType.length === 2 ? 'pairs' : 'values';
        break;
    }
  }
  for (const [name, overloads] of operations) {
    const first = overloads[0];
    lines.push(
      `{ kind: 'operation', name: ${text(name)}, static: ${first.special === 'static'}, ` +
        `promise: ${isPromise(first.idlType)}, arguments: ${argumentsOf(overloads)} }`,
    );
  }
  const parent = node.inheritance ? text(node.inheritance) : 'null';
  const construct = constructors.length > 0 ? argumentsOf(constructors) : 'null';
  return (
    `export const ${node.name} = { name: ${text(node.name)}, parent: ${parent}, constructor: ${construct}, ` +
    `iterable: ${text(iterable)}, members: [\n  ${lines.join(',\n  ')}\n] };`
  );
}

/** https://webidl.spec.whatwg.org/#dfn-json-types */
function jsonable(type: Node): boolean {
  if (type.generic === 'sequence' || type.generic === 'FrozenArray' || type.generic === 'record') {
    return type.idlType.every(jsonable);
  }
  if (type.generic) return false;
  if (type.union) return type.idlType.every(jsonable);
  const found = named.get(type.idlType);
  if (!found)
    return !['any', 'undefined', 'symbol', 'ArrayBuffer', 'Function'].includes(type.idlType) || type.idlType === 'any';
  if (found.type === 'typedef') return jsonable(found.idlType);
  if (found.type === 'interface') return membersOf(found.name).some((member: Node) => member.name === 'toJSON');
  return found.type === 'enum' || found.type === 'dictionary';
}

function dictionaryOf(node: Node): string {
  const members = [...node.members, ...(partials.get(node.name) ?? []).flatMap((part) => part.members)];
  members.sort((a, b) => (a.name < b.name ? -1 : 1));
  const entries = members.map(
    (member) =>
      `[${text(member.name)}, ${typeOf(member.idlType, member.extAttrs)}, ${member.required}, ${defaultOf(member.default)}]`,
  );
  const parent = node.inheritance ? `() => ${node.inheritance}` : 'null';
  return `export const ${node.name} = t.dictionary(${text(node.name)}, ${parent}, () => [\n  ${entries.join(',\n  ')}\n]);`;
}

const lines: string[] = [];
for (const node of named.values()) {
  if (node.type === 'interface' && exposed(node)) lines.push(interfaceOf(node));
  if (node.type === 'dictionary') lines.push(dictionaryOf(node));
  if (node.type === 'enum') {
    const values = node.values.map((value: Node) => value.value);
    lines.push(`export const ${node.name} = t.enumeration(${text(node.name)}, ${text(values)});`);
  }
}
// Named imports, and calls that are said to have no effect: so the bundler can leave out what nobody uses.
const body = lines
  .join('\n')
  .replace(/\bt\.[a-zA-Z]+\(/g, '/* @__PURE__ */ $&')
  .replace(/\bt\.([a-zA-Z]+)/g, 't_$1');
const used = [...new Set(body.match(/\bt_[a-zA-Z]+/g))].map((name) => `${name.slice(2)} as ${name}`);
const types = resolve(import.meta.dirname, '../web/webidl/types.ts');
writeFileSync(process.argv[2]!, `import { ${used.join(', ')} } from ${text(types)};\n${body}\n`);
