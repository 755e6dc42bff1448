import { hostOne } from '../../browser/instance/worker-host.ts';
import { createInstance } from './create.ts';

hostOne(createInstance);
