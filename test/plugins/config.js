onmessage = () => postMessage({ status: 200, headers: [], body: JSON.stringify({ config: self.valor.config }) });
