import * as streams from 'web-streams-polyfill';

export default { ...streams };
