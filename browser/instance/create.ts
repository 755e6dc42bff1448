// Makes an instance of whatever a plug-in is written in. `valor-host.js` has to be a classic Worker: only there are
// classic scripts run as such.
import { createAbiInstance } from './abi/abi.ts';
import type { CreateInstance, PluginFile } from './instance.ts';
import { createJavaScriptInstance } from './javascript/plugin.ts';

/** "\0asm" */
function isWasm({ bytes }: PluginFile): boolean {
  return bytes.byteLength >= 4 && new DataView(bytes).getUint32(0) === 0x0061736d;
}

export const createInstance: CreateInstance = async (options) => {
  const { type, name, url, web } = options.definition;
  const entry = type === 'native' ? web : url;
  if (entry === undefined) throw new Error(`the plug-in "${name}" has nothing that a browser can run`);
  const file = await options.read(entry);
  return isWasm(file) ? createAbiInstance(options) : createJavaScriptInstance(options, entry, file);
};
