export { create } from '../crypto/subtle.ts';
