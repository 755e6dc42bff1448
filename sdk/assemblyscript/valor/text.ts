// Text at the border to the host: strings are UTF-16 here, UTF-8 there.

/** UTF-8 bytes as a string; what is malformed becomes U+FFFD. */
export function fromUtf8(data: usize, size: usize): string {
  return String.UTF8.decodeUnsafe(data, size);
}

export function toUtf8(text: string): ArrayBuffer {
  return String.UTF8.encode(text);
}

/** Bytes as a string of the characters U+0000 to U+00FF, as header values are. */
export function fromBytes(data: usize, size: usize): string {
  const text = changetype<string>(__new(size << 1, idof<string>()));
  for (let i: usize = 0; i < size; i++) store<u16>(changetype<usize>(text) + (i << 1), load<u8>(data + i));
  return text;
}

/** Whether every character is below U+0100. */
export function isBytes(text: string): bool {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
  return true;
}

/** A function of the host that copies text into a buffer and returns its whole size. */
export type Copy = (buffer: usize, capacity: usize) => i32;

export function copied(copy: Copy): ArrayBuffer | null {
  const size = copy(0, 0);
  if (size < 0) return null;
  const buffer = new ArrayBuffer(size);
  copy(changetype<usize>(buffer), size);
  return buffer;
}

function hexDigit(code: i32): i32 {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}

/** A name or value of a query: + is a blank, %XX a byte of UTF-8. */
export function decodeQuery(text: string): string {
  if (!text.includes('+') && !text.includes('%')) return text;
  const bytes = toUtf8(text);
  const data = changetype<usize>(bytes);
  const size = bytes.byteLength;
  let length = 0;
  for (let i = 0; i < size; i++) {
    let byte = load<u8>(data + i);
    if (byte == 0x2b) {
      byte = 0x20;
    } else if (byte == 0x25 && i + 2 < size) {
      const high = hexDigit(load<u8>(data + i + 1));
      const low = hexDigit(load<u8>(data + i + 2));
      if (high >= 0 && low >= 0) {
        byte = ((high << 4) | low) as u8;
        i += 2;
      }
    }
    store<u8>(data + length++, byte);
  }
  return fromUtf8(data, length);
}

/** The text of a JSON string, or null when `json` is none. */
export function jsonString(json: string): string | null {
  const end = json.length - 1;
  if (end < 1 || json.charCodeAt(0) != 0x22 || json.charCodeAt(end) != 0x22) return null;
  let text = '';
  let from = 1;
  for (let i = 1; i < end; i++) {
    if (json.charCodeAt(i) != 0x5c) continue;
    text += json.substring(from, i);
    const escape = json.charCodeAt(++i);
    if (escape == 0x75) {
      let unit = 0;
      for (let digit = 1; digit <= 4; digit++) unit = (unit << 4) | hexDigit(json.charCodeAt(i + digit));
      text += String.fromCharCode(unit);
      i += 4;
    } else if (escape == 0x62) text += '\b';
    else if (escape == 0x66) text += '\f';
    else if (escape == 0x6e) text += '\n';
    else if (escape == 0x72) text += '\r';
    else if (escape == 0x74) text += '\t';
    else text += String.fromCharCode(escape);
    from = i + 1;
  }
  return text + json.substring(from, end);
}
