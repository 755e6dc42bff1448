// Header lists: pairs in order, names may repeat.
import { fromBytes, isBytes } from './text';

export class Headers {
  /** Name, value, name, value, ... */
  private readonly pairs: string[] = [];

  get size(): i32 {
    return this.pairs.length >> 1;
  }

  /** The name of the header at `index`, in lower case where it came from the host. */
  name(index: i32): string {
    return this.pairs[index << 1];
  }

  value(index: i32): string {
    return this.pairs[(index << 1) + 1];
  }

  /** The first value of `name` (in lower case), or null. */
  get(name: string): string | null {
    for (let i = 0; i < this.size; i++) if (this.name(i) == name) return this.value(i);
    return null;
  }

  /** Adds a header. What HTTP does not allow in one makes the answer a 500. */
  append(name: string, value: string): Headers {
    this.pairs.push(name);
    this.pairs.push(value);
    return this;
  }

  /** As the host takes them: see "Headers towards the host" in abi/valor.h. */
  packed(): ArrayBuffer {
    const pairs = this.pairs;
    let size = 0;
    for (let i = 0; i < pairs.length; i++) size += 4 + sizeOf(pairs[i]);
    const block = new ArrayBuffer(size);
    let at = changetype<usize>(block);
    for (let i = 0; i < pairs.length; i += 2) {
      store<u32>(at, sizeOf(pairs[i]));
      store<u32>(at + 4, sizeOf(pairs[i + 1]));
      at = write(write(at + 8, pairs[i]), pairs[i + 1]);
    }
    return block;
  }

  /** Those of a head that the host passed: `count` headers at `list`, whose spans start at `head`. */
  static unpacked(head: usize, list: usize, count: u32): Headers {
    const headers = new Headers();
    for (let i: u32 = 0; i < count; i++, list += 16) {
      headers.append(
        fromBytes(head + load<u32>(list), load<u32>(list, 4)),
        fromBytes(head + load<u32>(list, 8), load<u32>(list, 12)),
      );
    }
    return headers;
  }
}

// A character up to U+00FF is one byte, as browsers have it; a value with others is UTF-8 as a whole.
function sizeOf(text: string): i32 {
  return isBytes(text) ? text.length : String.UTF8.byteLength(text);
}

function write(at: usize, text: string): usize {
  if (!isBytes(text)) return at + String.UTF8.encodeUnsafe(changetype<usize>(text), text.length, at);
  for (let i = 0; i < text.length; i++) store<u8>(at++, text.charCodeAt(i) as u8);
  return at;
}
