// Answers with what it was given, to the letter. ?body= and other queries are not looked at.
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

onmessage = (event) => {
  const { data } = event;
  const seen = {
    keys: Object.keys(data),
    ...data,
    body: data.body === null ? null : { type: Object.prototype.toString.call(data.body), hex: hex(data.body) },
    headersAreArrays:
      Array.isArray(data.headers) && data.headers.every((pair) => Array.isArray(pair) && pair.length === 2),
    event: event.constructor.name,
    type: event.type,
    location: String(location),
    public: String(new URL(data.url, location)),
  };
  postMessage({ status: 200, headers: [['content-type', 'application/json']], body: JSON.stringify(seen) });
};
