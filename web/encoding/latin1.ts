// Bytes as the characters U+0000 to U+00FF.

const pieceSize = 8192;

export function latin1Decode(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += pieceSize) {
    text += String.fromCharCode.apply(null, bytes.subarray(i, i + pieceSize) as unknown as number[]);
  }
  return text;
}
