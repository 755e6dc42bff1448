// The form that sends a request as the page does, and shows what came back.
import { make } from './elements.ts';

const mostShown = 100_000; // bytes of a body
const places: Record<string, string> = { worker: 'a Worker', 'service-worker': 'the service worker' };
const withoutBody = ['GET', 'HEAD'];

export interface Form {
  /** Puts a mount into the form, ready to be sent. */
  ask(prefix: string): void;
  suggest(prefixes: string[]): void;
}

/** `done`: called after each answer. */
export function connectForm(form: HTMLFormElement, answer: HTMLElement, done: () => void): Form {
  const field = (name: string) => form.elements.namedItem(name) as HTMLInputElement;
  const [method, path, headers, body] = ['method', 'path', 'headers', 'body'].map(field) as [
    HTMLInputElement,
    HTMLInputElement,
    HTMLInputElement,
    HTMLInputElement,
  ];
  const send = form.querySelector('button')!;
  const list = form.querySelector('datalist')!;

  const fit = (): void => {
    body.disabled = withoutBody.includes(method.value);
  };
  method.addEventListener('change', fit);
  fit();

  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    send.disabled = true;
    const begun = performance.now();
    try {
      const response = await fetch(path.value, {
        method: method.value,
        headers: parseHeaders(headers.value),
        body: body.disabled || body.value === '' ? null : body.value,
        cache: 'no-store',
        redirect: 'manual',
      });
      await showResponse(answer, response, performance.now() - begun);
    } catch (error) {
      showFailure(answer, error as Error);
    } finally {
      send.disabled = false;
      answer.hidden = false;
      done();
    }
  });

  return {
    ask(prefix) {
      path.value = `/${prefix}`;
      path.focus();
    },
    suggest(prefixes) {
      const values = prefixes.map((prefix) => `/${prefix}`);
      if ([...list.options].some((option, i) => option.value !== values[i]) || list.options.length !== values.length) {
        list.replaceChildren(...values.map((value) => make('option', { value })));
      }
    },
  };
}

/** Lines of "name: value". */
function parseHeaders(text: string): [string, string][] {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`A header is "name: value", and not "${line}".`);
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
}

function parts(answer: HTMLElement) {
  return {
    outcome: answer.querySelector<HTMLElement>('#outcome')!,
    headers: answer.querySelector('details')!,
    body: answer.querySelector('pre')!,
  };
}

async function showResponse(answer: HTMLElement, response: Response, ms: number): Promise<void> {
  const { outcome, headers, body } = parts(answer);
  const place = response.headers.get('x-valor-place');
  const plugin = response.headers.get('x-valor-plugin');
  const status = response.type === 'opaqueredirect' ? 'redirect' : `${response.status} ${response.statusText}`.trim();
  outcome.replaceChildren(
    make('strong', { textContent: status }),
    make('span', { textContent: `${ms.toFixed(1)} ms` }),
    make('span', { textContent: plugin ? `by ${plugin}` : 'by no plug-in' }),
    make('span', { textContent: place ? `in ${places[place] ?? place} of this browser` : 'from the server' }),
  );
  outcome.dataset.state = response.status >= 400 ? 'failed' : 'running';
  const pairs = [...response.headers].flatMap(([name, value]) => [
    make('dt', { textContent: name }),
    make('dd', { textContent: value }),
  ]);
  headers.querySelector('dl')!.replaceChildren(...pairs);
  headers.hidden = pairs.length === 0;
  body.textContent = await readBody(response);
  body.hidden = body.textContent === '';
}

function showFailure(answer: HTMLElement, error: Error): void {
  const { outcome, headers, body } = parts(answer);
  outcome.replaceChildren(make('strong', { textContent: 'No answer' }), make('span', { textContent: error.message }));
  outcome.dataset.state = 'failed';
  headers.hidden = true;
  body.hidden = true;
}

/** As text; JSON with line breaks; other bytes only counted. */
async function readBody(response: Response): Promise<string> {
  const { bytes, more } = await readUpTo(response, mostShown);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: more });
  } catch {
    return `${bytes.length.toLocaleString()} bytes${more ? ' and more' : ''} that are no text`;
  }
  if (more) return `${text}\n… (more than ${mostShown.toLocaleString()} bytes)`;
  if (!/[/+]json\b/.test(response.headers.get('content-type') ?? '')) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

async function readUpTo(response: Response, most: number): Promise<{ bytes: Uint8Array; more: boolean }> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) break;
    pieces.push(piece.value);
    size += piece.value.length;
    if (size > most) {
      reader?.cancel().catch(() => {});
      break;
    }
  }
  const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  return { bytes: bytes.subarray(0, most), more: size > most };
}
