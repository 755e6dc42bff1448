// https://html.spec.whatwg.org/multipage/webappapis.html#atob
/** biome-ignore-all lint/complexity/noArguments: Web IDL counts the arguments that were passed */

import { latin1Decode } from '../encoding/latin1.ts';
import { requireArguments, toDOMString } from '../webidl/conversions.ts';
import { defineOperation } from '../webidl/define.ts';
import { DOMException } from '../webidl/dom-exception.ts';

function btoa(data: unknown): string {
  requireArguments(arguments.length, 1, 'btoa');
  const text = toDOMString(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) throw new DOMException('The text has characters above U+00FF', 'InvalidCharacterError');
    bytes[i] = code;
  }
  return bytes.toBase64();
}

/** https://infra.spec.whatwg.org/#forgiving-base64-decode */
function atob(data: unknown): string {
  requireArguments(arguments.length, 1, 'atob');
  let text = toDOMString(data).replace(/[\t\n\f\r ]+/g, '');
  if (text.length % 4 === 0) text = text.replace(/={1,2}$/, '');
  if (text.length % 4 === 1 || /[^A-Za-z0-9+/]/.test(text)) {
    throw new DOMException('The text is not correctly encoded as Base64', 'InvalidCharacterError');
  }
  return latin1Decode(Uint8Array.fromBase64(text));
}

export function installBase64(global: object): void {
  defineOperation(global, 'btoa', btoa);
  defineOperation(global, 'atob', atob);
}
