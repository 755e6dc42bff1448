export { openOwnFile } from '../fetch/own-file.ts';
