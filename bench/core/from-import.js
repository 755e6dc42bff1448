// For workerd, which compiles modules ahead.

import { makeApp } from 'core/app.js';
import module from 'core.wasm';

export default makeApp(module);
