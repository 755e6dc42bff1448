// Whether a module speaks the plug-in ABI, and if not, what is missing and which kind of plug-in it is: the browser's
// plugins/wasm/abi-check.cpp.
import { kinds, type Layout } from './layout.ts';
import { guestFunctions, type HostFunction, hostFunctions, typeOf, typeOfHostFunction } from './signatures.ts';

/** Mistakes listed; more would hide the advice. */
const maxShown = 20;

/** A name from a file, as it may stand in a message. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80)) + (name.length > 80 ? '...' : '');
}

/** What a module that is no plug-in was made for. */
function advice({ imports, exports }: Layout): string {
  const importsFrom = (pattern: RegExp): boolean => imports.some(({ module }) => pattern.test(module));
  if (
    exports.some(({ name }) => /^__wb(indgen|g)_/.test(name)) ||
    importsFrom(/^(wbg|__wbindgen_placeholder__)$|_bg\.js$/)
  ) {
    return 'It was made with wasm-bindgen, which goes with JavaScript: make it with --target web, and give as "url" a script that imports the .js file beside it and answers requests (docs/plugins-wasm.md)';
  }
  const wasi = importsFrom(/^wasi/);
  if (exports.some(({ name }) => name === '_start')) {
    return `It is a ${wasi ? 'WASI program' : 'program with a main function'}, for which "type": "wasi" is the kind. Where this Valor does not run that kind yet, compile the code as a library that answers requests, with one of the SDKs (clang: -mexec-model=reactor)`;
  }
  if (wasi) {
    return 'What is imported from WASI must come out of the module itself: the SDKs bring stand-ins, and in C everything that opens files or prints is to be left out';
  }
  if (importsFrom(/^env$/)) {
    return 'Imports from "env" are functions that the linker did not find: link what defines them';
  }
  return 'docs/plugins-wasm.md says how to compile a plug-in with the SDKs for C++, Rust, AssemblyScript and C. A module for JavaScript is run by a script that loads it';
}

/** All that is wrong, a line each, and advice; '' when nothing is. */
export function checkAbi(layout: Layout): string {
  const mistakes: string[] = [];
  const invalid = 'of an invalid type';
  const find = (name: string) => layout.exports.find((entry) => entry.name === name);
  const memory = find('memory');
  if (!memory) mistakes.push('missing export: memory');
  else if (memory.kind !== 2) mistakes.push(`export memory is a ${kinds[memory.kind]}, not a memory`);
  for (const [name, letters] of Object.entries(guestFunctions)) {
    const found = find(name);
    const wanted = typeOf(letters);
    if (!found) {
      if (name !== '_initialize') mistakes.push(`missing export: ${name}${wanted}`);
    } else if (found.kind !== 0) {
      mistakes.push(`export ${name} is a ${kinds[found.kind]}, not a function`);
    } else {
      const type = layout.functions[found.index] ?? invalid;
      if (type !== wanted) mistakes.push(`export ${name} is ${type}, not ${wanted}`);
    }
  }
  const exportsAreRight = mistakes.length === 0;
  let newer = false;
  for (const { module, name, kind, type = invalid } of layout.imports) {
    const full = `${shown(module)}.${shown(name)}`;
    const known = kind === 0 && Object.hasOwn(hostFunctions, name);
    if (module !== 'valor' || !known) {
      newer ||= module === 'valor';
      const more = module === 'valor' ? ', which this Valor does not have' : '';
      mistakes.push(`unknown import: ${kinds[kind]} ${full}${more}`);
      continue;
    }
    const wanted = typeOfHostFunction(name as HostFunction);
    if (type !== wanted) mistakes.push(`import ${full} is ${type}, not ${wanted}`);
  }
  if (mistakes.length === 0) return '';
  const more = mistakes.length - maxShown;
  if (more > 0) mistakes.splice(maxShown, more, `and ${more} more`);
  const last =
    newer && exportsAreRight
      ? "It was compiled for a newer Valor: update this one, or compile it with this one's SDK"
      : advice(layout);
  return `it does not speak Valor's plug-in ABI:\n  ${mistakes.join('\n  ')}\n${last}`;
}
