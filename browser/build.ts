// Makes what browsers load: build.ts WEB PACKAGE. WEB holds valor-core.wasm already, and is what servers serve; beside each file
// lie its compressed forms, .br and .gz, and sizes.txt says how large they are. PACKAGE becomes the npm package.
// build.ts --check WEB fails when that is too large.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { minify } from 'terser';

const source = import.meta.dirname;
const root = resolve(source, '..');

/** Of all that makes plug-ins run in a page, compressed by brotli. The console is for people who look at it. */
const mostBytes = 60_000;

const coreFile = 'valor-core.wasm';
const runtimeFiles = ['valor.js', 'valor-sw.js', 'valor-host.js', coreFile];
const together = 'together';
const pageEntry = 'page/valor.ts';
const serviceWorkerEntry = 'main.ts';

/** The page for people at /_valor/. */
const consoleFiles = ['console.ts', 'console.css', 'index.html'];

/** Stands for the hash of all files in them, until that is known. */
const unknownHash = '__HASH_OF_ALL__';

const common: BuildOptions = {
  bundle: true,
  minify: true,
  write: false,
  target: 'es2022',
  legalComments: 'none',
  logLevel: 'warning',
};

/** By name, stamped with a version that changes whenever one of them or core does. */
async function bundleRuntime(version: string, core: Uint8Array): Promise<Map<string, string>> {
  const define = { VALOR_VERSION: JSON.stringify(`${version}+${unknownHash}`) };
  const bundle = async (options: BuildOptions) => {
    const { text } = (await build({ ...common, ...options, define })).outputFiles![0]!;
    // It saves what esbuild does not look for: 1.4 KB of 40, compressed.
    const shorter = await minify(text, { ecma: 2022, module: options.format === 'esm', compress: { passes: 2 } });
    return shorter.code!;
  };
  const texts = new Map([
    ['valor.js', await bundle({ entryPoints: [join(source, pageEntry)], format: 'esm' })],
    ['valor-host.js', "importScripts('valor-sw.js');\n"],
    ['valor-sw.js', await bundle({ entryPoints: [join(source, serviceWorkerEntry)], format: 'iife' })],
  ]);
  const hash = createHash('sha256').update(core);
  for (const text of texts.values()) hash.update(text);
  const digest = hash.digest('hex').slice(0, 12);
  for (const [file, text] of texts) texts.set(file, text.replaceAll(unknownHash, digest));
  return texts;
}

/** Shares valor.js with the pages: it is not bundled again. */
const sharedRuntime: Plugin = {
  name: 'shared runtime',
  setup({ onResolve }) {
    onResolve({ filter: /\/page\/valor\.ts$/ }, () => ({ path: './valor.js', external: true }));
  },
};

/** Returns the names of the files. */
async function makeConsole(folder: string): Promise<string[]> {
  const entryPoints = consoleFiles.map((file) => join(source, 'console', file));
  await build({
    ...common,
    entryPoints,
    format: 'esm',
    loader: { '.html': 'copy' },
    plugins: [sharedRuntime],
    outdir: folder,
    write: true,
  });
  return entryPoints.map((path) => basename(path).replace(/\.ts$/, '.js'));
}

interface Size {
  file: string;
  plain: number;
  brotli: number;
  gzip: number;
}

function compress(path: string): Size {
  const bytes = readFileSync(path);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  const brotli = brotliCompressSync(bytes, { params });
  const gzip = gzipSync(bytes, { level: 9 });
  writeFileSync(`${path}.br`, brotli);
  writeFileSync(`${path}.gz`, gzip);
  return { file: basename(path), plain: bytes.length, brotli: brotli.length, gzip: gzip.length };
}

function sum(sizes: Size[], file: string): Size {
  const add = (key: 'plain' | 'brotli' | 'gzip') => sizes.reduce((total, size) => total + size[key], 0);
  return { file, plain: add('plain'), brotli: add('brotli'), gzip: add('gzip') };
}

function table(sizes: Size[]): string {
  const line = (file: string, ...columns: (string | number)[]) =>
    `${file.padEnd(18)}${columns.map((column) => String(column).padStart(10)).join('')}\n`;
  return line('bytes', 'plain', 'brotli', 'gzip') + sizes.map((s) => line(s.file, s.plain, s.brotli, s.gzip)).join('');
}

/** Ready for `npm pack`: the files, and the types of what valor.js exports. */
function makePackage(folder: string, target: string): void {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(
    process.execPath,
    [tsc, '-p', join(source, 'page/tsconfig.types.json'), '--outDir', join(target, 'types')],
    {
      stdio: 'inherit',
    },
  );
  // As a module is named once it is JavaScript.
  for (const path of globSync(join(target, 'types/**/*.d.ts'))) {
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(/(from '\.[^']*)\.ts'/g, "$1.js'"));
  }
  for (const file of ['package.json', 'README.md']) copyFileSync(join(source, file), join(target, file));
  copyFileSync(join(root, 'LICENSE'), join(target, 'LICENSE'));
  for (const file of runtimeFiles) copyFileSync(join(folder, file), join(target, file));
}

async function makeAll(folder: string, target: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string };
  const texts = await bundleRuntime(version, readFileSync(join(folder, coreFile)));
  for (const [file, text] of texts) writeFileSync(join(folder, file), text);
  const sizes = runtimeFiles.map((file) => compress(join(folder, file)));
  const consoleSizes = (await makeConsole(folder)).map((file) => compress(join(folder, file)));
  makePackage(folder, target);
  writeFileSync(join(folder, 'sizes.txt'), table([...sizes, sum(sizes, together), ...consoleSizes]));
}

function check(folder: string): void {
  const shown = readFileSync(join(folder, 'sizes.txt'), 'utf8');
  const bytes = runtimeFiles.reduce((total, file) => total + statSync(join(folder, `${file}.br`)).size, 0);
  if (bytes > mostBytes) {
    throw new Error(`what runs plug-ins in a page has ${bytes} bytes compressed, more than ${mostBytes}:\n${shown}`);
  }
  console.log(shown);
}

const [first, second] = process.argv.slice(2) as [string, string];
try {
  if (first === '--check') {
    check(resolve(second));
  } else {
    await makeAll(resolve(first), resolve(second));
  }
} catch (error) {
  console.error(`browser/build.ts: ${(error as Error).message}`);
  process.exitCode = 1;
}
