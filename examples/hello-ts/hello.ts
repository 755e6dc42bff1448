// The message contract with its types written down. Types are removed when the plug-in is loaded.
interface RequestMessage {
  url: string;
  method: string;
  headers: [name: string, value: string][];
  body: ArrayBuffer | null;
}

interface ResponseMessage {
  status: number;
  headers: [name: string, value: string][];
  body: ArrayBuffer | ArrayBufferView | string | null;
}

function answer(request: RequestMessage): ResponseMessage {
  const length: number = request.body?.byteLength ?? 0;
  return {
    status: 200,
    headers: [['content-type', 'text/plain']],
    body: `Hello from TypeScript, ${length} bytes received\n`,
  };
}

addEventListener('message', (event) => {
  postMessage(answer(event.data as RequestMessage));
});
