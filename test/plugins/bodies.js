// Response bodies of every allowed kind, headers that repeat, and any status: by the last word of the URL.
const bytes = new Uint8Array([1, 2, 3, 4, 5]);
const bodies = {
  string: () => 'grüße',
  buffer: () => bytes.slice().buffer,
  view: () => bytes.subarray(1, 4),
  dataview: () => new DataView(bytes.buffer, 2, 2),
  null: () => null,
  undefined: () => undefined,
  empty: () => '',
};

onmessage = ({ data: { url } }) => {
  const parsed = new URL(url, location);
  const kind = parsed.pathname.split('/').at(-1);
  const headers = [
    ['x-many', 'one'],
    ['x-many', 'two'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ];
  const status = Number(parsed.searchParams.get('status') ?? 200);
  if (kind === 'transfer') {
    const body = bytes.slice().buffer;
    postMessage({ status, headers, body }, [body]);
    console.log(`transferred, ${body.byteLength} left`);
  } else if (kind === 'bare') {
    postMessage({ status });
  } else {
    postMessage({ status, headers, body: bodies[kind]() });
  }
};
