// Requests to the plug-ins. Each answer says which plug-in gave it, and where that runs.

const places = { worker: 'a Worker in this browser', 'service-worker': 'the service worker in this browser' };

/** 'answer' events: { plugin, where, ms }; `where` is null when nobody answered. */
export const answers = new EventTarget();

/** Rejects with a sentence for the reader when there is no good answer. */
export async function ask(path, init) {
  const begun = performance.now();
  const tell = (where) => {
    const detail = { plugin: path.split('/')[1], where, ms: performance.now() - begun };
    answers.dispatchEvent(new CustomEvent('answer', { detail }));
  };
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    tell(null);
    throw new Error('The server cannot be reached.');
  }
  tell(places[response.headers.get('x-valor-place')] ?? 'the server');
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The answer was ${response.status} ${response.statusText}.`);
}

export const askJson = async (path, init) => (await ask(path, init)).json();

/** For notes: { text }, and what else is known of it. */
export const json = (method, note, init = {}) => ({
  ...init,
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(note),
});
