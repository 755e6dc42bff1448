// Headers that are the browser's to say.

const requestNames = new Set([
  ...['accept-charset', 'accept-encoding', 'access-control-request-headers', 'access-control-request-method'],
  ...['access-control-request-private-network', 'connection', 'content-length', 'cookie', 'cookie2', 'date', 'dnt'],
  ...['expect', 'host', 'keep-alive', 'origin', 'referer', 'set-cookie', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'via'],
]);
const methodNames = ['x-http-method', 'x-http-method-override', 'x-method-override'];

/** https://fetch.spec.whatwg.org/#forbidden-request-header */
export function isForbiddenRequestHeader(name: string, value: string): boolean {
  if (requestNames.has(name) || name.startsWith('proxy-') || name.startsWith('sec-')) return true;
  if (!methodNames.includes(name)) return false;
  return value.split(',').some((method) => /^[\t ]*(connect|trace|track)[\t ]*$/i.test(method));
}

/** https://fetch.spec.whatwg.org/#forbidden-response-header-name */
export function isForbiddenResponseHeader(name: string): boolean {
  return name === 'set-cookie' || name === 'set-cookie2';
}
