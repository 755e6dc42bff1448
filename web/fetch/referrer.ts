// https://w3c.github.io/webappsec-referrer-policy/

import { location } from '../html/location.ts';
import { parseURL, type URL } from '../url/url.ts';

const policies = [
  ...['no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin'],
  ...['origin-when-cross-origin', 'strict-origin-when-cross-origin', 'unsafe-url'],
];
const defaultPolicy = 'strict-origin-when-cross-origin';
// https://w3c.github.io/webappsec-referrer-policy/#determine-requests-referrer step 6
const maxLength = 4096;

/** https://w3c.github.io/webappsec-secure-contexts/#is-url-trustworthy */
export function isTrustworthy(url: URL): boolean {
  return url.protocol === 'https:' || /^(localhost|.*\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
}

/** The policy that a redirect asks for. https://w3c.github.io/webappsec-referrer-policy/#set-requests-referrer-policy-on-redirect */
export function policyOnRedirect(policy: string, header: string | null): string {
  const asked = (header ?? '').split(',').map((token) => token.trim().toLowerCase());
  return asked.findLast((token) => policies.includes(token)) ?? policy;
}

/**
 * The value of the header, "" for none. `referrer` is a URL, about:client or "".
 * https://w3c.github.io/webappsec-referrer-policy/#determine-requests-referrer
 */
export function determineReferrer(referrer: string, policy: string, target: URL): string {
  if (referrer === '') return '';
  const source = parseURL(referrer === 'about:client' ? location.href : referrer);
  if (source.protocol !== 'http:' && source.protocol !== 'https:') return '';
  source.username = '';
  source.password = '';
  source.hash = '';
  const origin = `${source.origin}/`;
  const full = source.href.length > maxLength ? origin : source.href;
  const sameOrigin = source.origin === target.origin;
  const downgrade = isTrustworthy(source) && !isTrustworthy(target);
  switch (policy || defaultPolicy) {
    case 'origin':
      return origin;
    case 'unsafe-url':
      return full;
    case 'strict-origin':
      return downgrade ? '' : origin;
    case 'strict-origin-when-cross-origin':
      return sameOrigin ? full : downgrade ? '' : origin;
    case 'same-origin':
      return sameOrigin ? full : '';
    case 'origin-when-cross-origin':
      return sameOrigin ? full : origin;
    case 'no-referrer-when-downgrade':
      return downgrade ? '' : full;
    default:
      return '';
  }
}
