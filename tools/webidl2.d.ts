declare module 'webidl2' {
  /** A syntax tree: https://github.com/w3c/webidl2.js */
  export function parse(idl: string): object[];
}
