// Bundles the platform's TypeScript: what the startup snapshot holds, and the parts that an instance loads when it first needs
// them (web/lazy/NAME.ts). A part shares the modules that are in the snapshot: it is a function that gets them, and returns
// its exports.
//
// bundle.ts IDL ENTRY PLATFORM PARTS: the module of generate-idl.ts, the entry of the platform; where the platform's script
// goes, and the folder for those of the parts.
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { captureIntrinsics } from './capture-intrinsics.ts';

const web = resolve(import.meta.dirname, '../web');

export interface Bundles {
  platform: string;
  /** By name. */
  parts: Map<string, string>;
}

// Every instance keeps the text of what the snapshot holds; names stay, for stack traces.
const common: BuildOptions = {
  bundle: true,
  target: 'es2024',
  write: false,
  logLevel: 'warning',
  metafile: true,
  minifyWhitespace: true,
  minifySyntax: false,
};

/** The sources as they are in the bundles: tools/capture-intrinsics.ts. */
function capturedSources(texts: Map<string, string>): Plugin {
  return {
    name: 'captured',
    setup(setup) {
      setup.onLoad({ filter: /\/(web|plugins\/js)\/.*\.ts$/ }, ({ path }) => {
        const contents = texts.get(path);
        if (contents === undefined) throw new Error(`${path} is not part of the platform's TypeScript project`);
        return { contents, loader: 'ts' };
      });
    },
  };
}

/** Modules from "shared:", by path below web/, with the names that the parts use. */
type SharedNames = Map<string, Set<string>>;

/** What web/lazy/shared.ts is in the bundle. */
function sharedModule(names: SharedNames): Plugin {
  return {
    name: 'shared',
    setup(setup) {
      setup.onLoad({ filter: /web\/lazy\/shared\.ts$/ }, () => {
        const imports: string[] = [];
        const modules: string[] = [];
        for (const [path, exported] of names) {
          const entries = [...exported].map((name) => [name, `shared${imports.length}_${name}`] as const);
          const list = entries.map(([name, local]) => `${name} as ${local}`);
          imports.push(`import { ${list.join(', ')} } from ${JSON.stringify(join(web, path))};`);
          modules.push(
            `${JSON.stringify(path)}: { ${entries.map(([name, local]) => `${name}: ${local}`).join(', ')} }`,
          );
        }
        const contents = `${imports.join('\n')}\nexport function sharedModules() { return { ${modules.join(', ')} }; }\n`;
        return { contents, loader: 'js', resolveDir: join(web, 'lazy') };
      });
    },
  };
}

async function bundlePlatform(
  entry: string,
  idl: string,
  captured: Plugin,
  names: SharedNames,
): Promise<{ text: string; modules: Set<string> }> {
  const result = await build({
    ...common,
    entryPoints: [entry],
    format: 'iife',
    alias: { 'valor-idl': idl },
    plugins: [sharedModule(names), captured],
  });
  const modules = Object.keys(result.metafile!.inputs).map((path) => resolve(path));
  return { text: result.outputFiles![0]!.text, modules: new Set(modules) };
}

async function bundlePart(
  entry: string,
  idl: string,
  captured: Plugin,
  shared: Set<string>,
): Promise<{ text: string; names: SharedNames }> {
  const external: Plugin = {
    name: 'external',
    setup(setup) {
      setup.onResolve({ filter: /^[./]/ }, ({ path, resolveDir, kind }) => {
        const file = resolve(resolveDir, path);
        if (kind === 'entry-point' || !shared.has(file) || !file.startsWith(web)) return undefined;
        return { path: `shared:${relative(web, file)}`, external: true };
      });
    },
  };
  const result = await build({
    ...common,
    entryPoints: [entry],
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    alias: { 'valor-idl': idl },
    plugins: [external, captured],
  });
  const names: SharedNames = new Map();
  let text = result.outputFiles![0]!.text;
  text = text.replace(/\bimport\s*\{([^}]*)\}\s*from\s*"shared:([^"]*)";?/g, (_, list: string, path: string) => {
    const used = names.get(path) ?? new Set();
    names.set(path, used);
    for (const entry of list.split(',')) used.add(entry.trim().split(/\s+as\s+/)[0]!);
    return `const {${list.replaceAll(/\s+as\s+/g, ':')}}=shared[${JSON.stringify(path)}];`;
  });
  // Behind it only the licences of libraries may follow.
  text = text.replace(/\bexport\s*\{([^}]*)\};?(?=\s*(\/\*[\s\S]*)?$)/, (_, list: string) => {
    const entries = list.split(',').map((entry) => entry.trim().split(/\s+as\s+/));
    return `return{${entries.map(([local, name = local]) => `${name}:${local}`).join(',')}};`;
  });
  if (/\b(import|export)\s*[{*]/.test(text)) throw new Error(`${entry}: cannot be made a part`);
  return { text: `(function(shared){"use strict";${text}})\n`, names };
}

/** The nearest tsconfig.json. */
function projectOf(source: string): string {
  const candidate = join(dirname(source), 'tsconfig.json');
  return existsSync(candidate) ? candidate : projectOf(dirname(source));
}

export async function bundleAll(entry: string, idl: string): Promise<Bundles> {
  const captured = capturedSources(captureIntrinsics(projectOf(entry)));
  const { modules } = await bundlePlatform(entry, idl, captured, new Map());
  const names: SharedNames = new Map();
  const parts = new Map<string, string>();
  const entries = globSync(join(web, 'lazy/*.ts')).filter((path) => !path.endsWith('shared.ts'));
  for (const path of entries) {
    const part = await bundlePart(path, idl, captured, modules);
    parts.set(basename(path, '.ts'), part.text);
    for (const [module, used] of part.names) names.set(module, new Set([...(names.get(module) ?? []), ...used]));
  }
  const platform = await bundlePlatform(entry, idl, captured, names);
  return { platform: platform.text, parts };
}

if (import.meta.main) {
  const [idl, entry, platform, folder] = process.argv.slice(2) as [string, string, string, string];
  const bundles = await bundleAll(entry, resolve(idl));
  mkdirSync(dirname(platform), { recursive: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of bundles.parts) writeFileSync(join(folder, `${name}.js`), text);
  writeFileSync(platform, bundles.platform);
}
