import { URL, URLSearchParams } from 'whatwg-url';

export default { URL, URLSearchParams };
