// Every construct here vanishes by stripping; a thrown error must name this file and its own line and column.
import { double } from './modules/double.ts';
import type { Shape } from './modules/shapes.ts';

type Answer = { status: number; headers: [string, string][]; body: string };

function identity<T>(value: T): T {
  return value;
}

addEventListener('message', (event) => {
  const request = event.data as { url: string };
  const shape = identity<Shape>({ sides: double(2) }) satisfies Shape;
  if (request.url.startsWith('throw')) {
    throw new TypeError(`typed trouble` as string);
  }
  const answer: Answer = { status: 200, headers: [], body: `a shape with ${shape.sides!} sides` };
  postMessage(answer);
});
