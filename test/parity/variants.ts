// Plug-ins that some cases need beside the four of every column.
import type { Definition } from '../harness.ts';

/** Made of a column's own: the plug-in's kind and what is different. */
export const variants: { name: string; of: string; fields: Definition }[] = [
  { name: 'hasty', of: 'echo', fields: { limits: { timeout_ms: 500 } } },
  { name: 'nameless', of: 'with-state', fields: { config: { name: 'Alice' } } },
  { name: 'pair', of: 'with-state', fields: { config: 'Alice', instances: { min: 2, max: 2 } } },
  { name: 'brittle', of: 'echo', fields: {} },
];
