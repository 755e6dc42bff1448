const fine: number = 1;

enum Colour {
  Red,
}

onmessage = () => postMessage({ status: 200, headers: [], body: String(Colour.Red + fine) });
