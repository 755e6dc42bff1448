// Whether a module speaks the plug-in ABI, and if not, what is missing and which kind of plug-in it is: the browser's
// plugins/wasm/abi-check.cpp.
import { guestFunctions, hostFunctions } from './signatures.ts';

/** Mistakes listed; more would hide the advice. */
const maxShown = 20;

/** A name from a file, as it may stand in a message. */
function shown(name: string): string {
  return JSON.stringify(name.slice(0, 80)) + (name.length > 80 ? '...' : '');
}

/** What a module that is no plug-in was made for. */
function advice(imports: WebAssembly.ModuleImportDescriptor[], names: string[]): string {
  const importsFrom = (pattern: RegExp): boolean => imports.some(({ module }) => pattern.test(module));
  if (names.some((name) => /^__wb(indgen|g)_/.test(name)) || importsFrom(/^(wbg|__wbindgen_placeholder__)$|_bg\.js$/)) {
    return 'It was made with wasm-bindgen, for JavaScript: make it with --target web, and give as "url" a script that imports the .js file beside it';
  }
  if (names.includes('_start')) {
    return 'It is a program, for which "type": "wasi" is the kind; or compile it as a library with one of the SDKs (clang: -mexec-model=reactor)';
  }
  if (importsFrom(/^wasi/))
    return 'What is imported from WASI must come out of the module itself: the SDKs bring stand-ins';
  if (importsFrom(/^env$/)) return 'Imports from "env" are functions that the linker did not find';
  return 'docs/plugins-wasm.md says how to compile a plug-in. A module for JavaScript is run by a script that loads it';
}

/**
 * All that is wrong, a line each, and advice; '' when nothing is. Types of functions are not looked at, as the JavaScript API does not
 * show them: one that is called with others than it has traps.
 */
export function checkAbi(compiled: WebAssembly.Module): string {
  const exported = WebAssembly.Module.exports(compiled);
  const imports = WebAssembly.Module.imports(compiled);
  const mistakes: string[] = [];
  for (const name of ['memory', ...Object.keys(guestFunctions)]) {
    const kind = exported.find((entry) => entry.name === name)?.kind;
    const wanted = name === 'memory' ? name : 'function';
    if (kind === undefined) {
      if (name !== '_initialize') mistakes.push(`missing export: ${name}`);
    } else if (kind !== wanted) {
      mistakes.push(`export ${name} is a ${kind}, not a ${wanted}`);
    }
  }
  const exportsAreRight = mistakes.length === 0;
  let newer = false;
  for (const { module, name, kind } of imports) {
    const ours = module === 'valor';
    if (ours && kind === 'function' && Object.hasOwn(hostFunctions, name)) continue;
    newer ||= ours;
    mistakes.push(
      `unknown import: ${kind} ${shown(module)}.${shown(name)}${ours ? ', which this Valor does not have' : ''}`,
    );
  }
  if (mistakes.length === 0) return '';
  const more = mistakes.length - maxShown;
  if (more > 0) mistakes.splice(maxShown, more, `and ${more} more`);
  const last =
    newer && exportsAreRight
      ? "It was compiled for a newer Valor: update this one, or compile it with this one's SDK"
      : advice(
          imports,
          exported.map(({ name }) => name),
        );
  return `it does not speak Valor's plug-in ABI:\n  ${mistakes.join('\n  ')}\n${last}`;
}
