// State lives as long as the instance.
let count = 0;
onmessage = () => postMessage({ status: 200, headers: [], body: String(++count) });
