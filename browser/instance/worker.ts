// What valor-host.js does in a Worker.
import { createInstance } from './create.ts';
import { hostOne } from './worker-host.ts';

export function hostPlugin(): void {
  hostOne(createInstance);
}
