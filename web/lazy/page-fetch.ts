export { pageRules } from '../fetch/page.ts';
