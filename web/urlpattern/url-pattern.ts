// https://urlpattern.spec.whatwg.org/, implemented by a library.

import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { shapeInterface } from '../webidl/define.ts';

shapeInterface(URLPattern as never, 'URLPattern', { '': 0, test: 0, exec: 0 });

export { URLPattern };
