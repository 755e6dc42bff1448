// Injected where a test uses Node's global Buffer: the npm package of that name, with the encoding that it lacks.
import { Buffer } from 'buffer/index.js';

const encode = Buffer.prototype.toString;
Buffer.prototype.toString = function (this: Buffer, encoding?: BufferEncoding, ...range: number[]): string {
  if (encoding !== 'base64url') return encode.call(this, encoding, ...range);
  return encode.call(this, 'base64', ...range).replace(/[+/=]/g, (c) => ({ '+': '-', '/': '_' })[c] ?? '');
};

export { Buffer };
