// https://mimesniff.spec.whatwg.org/#parsing-a-mime-type

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const quotable = /^[\t\x20-\x7e\x80-\xff]*$/;

/** https://fetch.spec.whatwg.org/#collect-an-http-quoted-string: the value and where it ends. */
function readQuoted(text: string, start: number): [string, number] {
  let value = '';
  let at = start + 1;
  for (; at < text.length && text[at] !== '"'; at++) {
    // A backslash at the end stands for itself.
    if (text[at] === '\\' && at + 1 < text.length) at++;
    value += text[at];
  }
  return [value, at + 1];
}

/** A MIME type in its serialised form; null for what is none. */
export function parseMimeType(input: string): string | null {
  const text = input.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  const slash = text.indexOf('/');
  if (slash < 0) return null;
  const type = text.slice(0, slash);
  let at = text.indexOf(';', slash);
  if (at < 0) at = text.length;
  const subtype = text.slice(slash + 1, at).replace(/[\t\n\r ]+$/, '');
  if (!token.test(type) || !token.test(subtype)) return null;
  const parameters = new Map<string, string>();
  while (at < text.length) {
    at++;
    while (at < text.length && /[\t\n\r ]/.test(text[at] as string)) at++;
    const nameStart = at;
    while (at < text.length && text[at] !== ';' && text[at] !== '=') at++;
    const name = text.slice(nameStart, at).toLowerCase();
    if (at >= text.length) break;
    if (text[at] === ';') continue;
    at++;
    if (at >= text.length) break;
    let value: string;
    if (text[at] === '"') {
      const quoted = readQuoted(text, at);
      value = quoted[0];
      at = quoted[1];
      while (at < text.length && text[at] !== ';') at++;
    } else {
      const valueStart = at;
      while (at < text.length && text[at] !== ';') at++;
      value = text.slice(valueStart, at).replace(/[\t\n\r ]+$/, '');
      if (value === '') continue;
    }
    if (token.test(name) && quotable.test(value) && !parameters.has(name)) parameters.set(name, value);
  }
  let serialised = `${type}/${subtype}`.toLowerCase();
  for (const [name, value] of parameters) {
    const plain = token.test(value);
    serialised += `;${name}=${plain ? value : `"${value.replace(/["\\]/g, '\\$&')}"`}`;
  }
  return serialised;
}
