// The stack of a trap as operators read it: only the plug-in's frames, the same in every browser, and places as they are
// in the file.
//
//   Chromium   at boom (wasm://wasm/0a1b2c3d:wasm-function[12]:0x34)     at wasm://wasm/0a1b2c3d:wasm-function[3]:0x5
//   Firefox    boom@http://host/worker.js line 1 > WebAssembly.Module:wasm-function[12]:0x34
//   here       at boom (file.wasm:wasm-function[12]:0x34)

const frame = /^ *(?:at (?:(.*) \()?wasm:\/\/wasm\/(.*)|(.*?)@.*):wasm-function\[(\d+)\]:0x([0-9a-f]+)/;

export function readableStack(stack: string, file: string, movedBytes: number): string {
  const lines: string[] = [];
  for (const line of stack.split('\n')) {
    const [, chromium, url = '', firefox, index, place = ''] = frame.exec(line) ?? [];
    if (index === undefined) continue;
    let name = chromium ?? firefox ?? '';
    // Chromium puts the module's own name before, where it has one: "at MODULE.name (wasm://wasm/MODULE-HASH:..."
    const module = `${url.replace(/-?[^-]*$/, '')}.`;
    if (name.startsWith(module)) name = name.slice(module.length);
    if (name.startsWith('wasm-function[')) name = '';
    const offset = Number.parseInt(place, 16);
    const at = `${file}:wasm-function[${index}]:0x${(offset < movedBytes ? offset : offset - movedBytes).toString(16)}`;
    lines.push(name ? `at ${name} (${at})` : `at ${at}`);
  }
  return lines.join('\n');
}
