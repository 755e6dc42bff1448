onmessage = () => postMessage({ status: 200, headers: [], body: 'x' }
