// Entry of valor-host.js.
import { createInstance } from './create.ts';
import { hostOne } from './worker-host.ts';

hostOne(createInstance);
