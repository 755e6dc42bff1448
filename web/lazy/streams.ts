import * as streams from 'web-streams-polyfill';

// The library makes a prototype of its own for the iterators of streams; the language's has more members.
const { getPrototypeOf, setPrototypeOf } = Object;
const languagePrototype = getPrototypeOf(getPrototypeOf(async function* () {}).prototype);
setPrototypeOf(getPrototypeOf(new streams.ReadableStream().values()), languagePrototype);

// Only the library has this.
Reflect.deleteProperty(streams.WritableStreamDefaultController.prototype, 'abortReason');

export default { ...streams };
