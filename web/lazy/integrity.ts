export { requireIntegrity } from '../fetch/integrity.ts';
