// For Deno, Bun and Node: the module comes from a file.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { makeApp } from './app.js';

export default makeApp(new WebAssembly.Module(readFileSync(process.env.CORE_WASM)));
