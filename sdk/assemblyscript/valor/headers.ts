// Header lists: pairs in order, names may repeat.
import { fromBytes, isBytes } from './text';

export class Headers {
  private readonly names: string[] = [];
  private readonly values: string[] = [];

  get size(): i32 {
    return this.names.length;
  }

  /** The name of the header at `index`, in lower case where it came from the host. */
  name(index: i32): string {
    return this.names[index];
  }

  value(index: i32): string {
    return this.values[index];
  }

  /** The first value of `name` (in lower case), or null. */
  get(name: string): string | null {
    const index = this.names.indexOf(name);
    return index < 0 ? null : this.values[index];
  }

  /** Adds a header. What HTTP does not allow in one makes the answer a 500. */
  append(name: string, value: string): Headers {
    this.names.push(name);
    this.values.push(value);
    return this;
  }

  /** As the host takes them: see "Headers towards the host" in abi/valor.h. */
  packed(): ArrayBuffer {
    let size = 0;
    for (let i = 0; i < this.size; i++) size += 8 + sizeOf(this.names[i]) + sizeOf(this.values[i]);
    const block = new ArrayBuffer(size);
    let at = changetype<usize>(block);
    for (let i = 0; i < this.size; i++) {
      const name = this.names[i];
      const value = this.values[i];
      store<u32>(at, sizeOf(name));
      store<u32>(at + 4, sizeOf(value));
      at = write(write(at + 8, name), value);
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
