export { URLPattern } from '../urlpattern/url-pattern.ts';
