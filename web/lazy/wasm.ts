export { compileSource } from '../wasm/streaming.ts';
