// The page /_valor/: which plug-ins there are, in this browser and on the server, how they fare, and a form to ask them.
import { start, type Valor } from '../page/valor.ts';
import { byId } from './elements.ts';
import { readServer, type ServerReport } from './server.ts';
import { Table } from './table.ts';
import { connectForm } from './try.ts';

const refreshMs = 1000;
// The server logs each request.
const serverMs = 5000;

const table = new Table(byId('plugins', HTMLTableElement), (prefix) => form.ask(prefix));
const form = connectForm(byId('try', HTMLFormElement), byId('answer', HTMLElement), refresh);

let valor: Valor | null = null;

function show(id: string, visible: boolean): void {
  byId(id, HTMLElement).hidden = !visible;
}

function say(id: string, text: string): void {
  const element = byId(id, HTMLElement);
  // Screen readers read it out again at each change.
  if (element.textContent !== text) element.textContent = text;
}

function describe(): string {
  if (!('serviceWorker' in navigator))
    return 'This browser runs none here: it has no service workers, or not for this page.';
  switch (valor?.state) {
    case undefined:
    case 'stopped':
      return 'Not running in this browser: the server answers.';
    case 'starting':
      return 'Starting in this browser…';
    case 'network':
      return 'This browser cannot run plug-ins here: the server answers.';
    default:
      return 'Running in this browser.';
  }
}

function describeServer({ reachable, registry }: ServerReport): string {
  if (!reachable) return 'The server is away.';
  return registry ? '' : 'What the server runs shows where its registry is on (valor -w).';
}

let server: ServerReport = { reachable: true, registry: true, plugins: [] };
let serverRead = Number.NEGATIVE_INFINITY;
let refreshing = false;

async function refresh(): Promise<void> {
  if (refreshing) return;
  refreshing = true;
  try {
    const running = valor !== null && valor.state !== 'stopped' && valor.state !== 'network';
    const here = running ? await valor!.plugins.list() : [];
    if (performance.now() - serverRead >= serverMs) {
      server = await readServer();
      serverRead = performance.now();
    }
    table.show(here, server);
    show('none', table.prefixes.length === 0);
    form.suggest(table.prefixes);
    say('server', describeServer(server));
    say('state', describe());
    show('update', running && valor!.state === 'ready');
    show('stop', running);
    show('start', !running && 'serviceWorker' in navigator && valor?.state !== 'network');
  } catch (error) {
    say('state', (error as Error).message);
  } finally {
    refreshing = false;
  }
}

async function run(): Promise<void> {
  valor = await start();
  await refresh();
}

/** A button that works until what it asks for is done. */
function onClick(id: string, act: () => Promise<unknown>): void {
  const button = byId(id, HTMLButtonElement);
  button.addEventListener('click', async () => {
    button.disabled = true;
    try {
      await act();
      await refresh();
    } catch (error) {
      say('state', (error as Error).message);
    } finally {
      button.disabled = false;
    }
  });
}

onClick('start', run);
onClick('stop', async () => valor?.stop());
onClick('update', async () => valor?.update());

// Whoever has stopped it does not start it by looking at this page.
const registration = await navigator.serviceWorker?.getRegistration('/');
if (registration) await run();
else await refresh();

setInterval(() => document.visibilityState === 'visible' && refresh(), refreshMs);
document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && refresh());
