// Asks a plug-in. The same function runs in Node and, as text, in the page of a browser: it uses nothing from outside of
// itself but what both have.

export interface CaseRequest {
  method: string;
  /** Below the mount, with the query. */
  path: string;
  headers: Record<string, string>;
  /** base64 */
  body?: string;
}

export interface Answer {
  status: number;
  headers: [string, string][];
  /** base64 */
  body: string;
  /** In a browser: a redirect, of which it shows nothing else. */
  redirected?: boolean;
  /** Why there is no answer. */
  error?: string;
}

/** `mount`: URL without a slash at its end. */
export async function ask(mount: string, { method, path, headers, body }: CaseRequest): Promise<Answer> {
  try {
    const response = await fetch(mount + (path === '' || /^[/?]/.test(path) ? path : `/${path}`), {
      method,
      headers,
      redirect: 'manual',
      ...(body === undefined ? {} : { body: Uint8Array.from(atob(body), (char) => char.charCodeAt(0)) }),
    });
    let text = '';
    for (const byte of new Uint8Array(await response.arrayBuffer())) text += String.fromCharCode(byte);
    const redirected = response.type === 'opaqueredirect';
    return { status: response.status, headers: [...response.headers], body: btoa(text), redirected };
  } catch (error) {
    return { status: 0, headers: [], body: '', error: String(error) };
  }
}
