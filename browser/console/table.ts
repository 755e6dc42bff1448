// The table of plug-ins. A row is made once and then changed where something changed, so that nothing flickers and the
// focus stays.
import type { PluginStatus } from '../protocol.ts';
import { make } from './elements.ts';
import type { ServerPlugin, ServerReport } from './server.ts';

interface Column {
  label: string;
  isNumber?: boolean;
  /** What a cell says, and what it is coloured by. */
  show(
    here: PluginStatus | undefined,
    there: ServerPlugin | undefined,
  ): [text: string, state?: string | null | undefined];
}

const places = { worker: 'Worker', 'service-worker': 'service worker' };

const columns: Column[] = [
  { label: 'In this browser', show: (here) => [here?.place ? places[here.place] : ''] },
  { label: 'State', show: (here) => [here?.state ?? '', here?.state] },
  { label: 'Version', isNumber: true, show: (here) => [here ? String(here.version) : ''] },
  { label: 'Requests', isNumber: true, show: (here) => [here ? here.requests.toLocaleString() : ''] },
  {
    label: 'Failures',
    isNumber: true,
    show: (here) => [here ? here.failures.toLocaleString() : '', here?.failures ? 'failed' : null],
  },
  {
    label: 'Latency',
    isNumber: true,
    show: (here) => [here?.latency_ms == null ? '' : `${here.latency_ms.toFixed(1)} ms`],
  },
  { label: 'On the server', show: (_here, there) => [there ? serverText(there) : '', there?.state] },
];

function serverText({ state, requests, failures }: ServerPlugin): string {
  if (state === null) return 'listed';
  const failed = failures > 0 ? `, ${failures.toLocaleString()} failed` : '';
  return `${state}: ${requests.toLocaleString()} requests${failed}`;
}

function set(element: HTMLElement, text: string, state?: string | null): void {
  if (element.textContent !== text) element.textContent = text;
  if ((element.dataset.state ?? '') !== (state ?? '')) element.dataset.state = state ?? '';
}

class Row {
  readonly body = make('tbody');
  prefix = '';
  readonly #mount = make('button', { type: 'button', className: 'mount', title: 'Try it' });
  readonly #cells: HTMLTableCellElement[];
  readonly #error = make('td', { colSpan: columns.length + 1 });
  readonly #errorRow = make('tr', { className: 'error', hidden: true }, this.#error);

  constructor(name: string, ask: (prefix: string) => void) {
    this.#mount.addEventListener('click', () => ask(this.prefix));
    this.#cells = columns.map(({ label, isNumber }) => {
      const cell = make('td', { className: isNumber ? 'number' : '' });
      cell.dataset.label = label;
      return cell;
    });
    const header = make('th', { scope: 'row' }, make('span', { textContent: name }), this.#mount);
    this.body.append(make('tr', {}, header, ...this.#cells), this.#errorRow);
  }

  show(here: PluginStatus | undefined, there: ServerPlugin | undefined): void {
    this.prefix = here?.prefix ?? there?.prefix ?? '';
    set(this.#mount, `/${this.prefix}`);
    columns.forEach((column, i) => {
      set(this.#cells[i]!, ...column.show(here, there));
    });
    const errors = [here?.error && `Here: ${here.error}`, there?.error && `Server: ${there.error}`].filter(Boolean);
    this.#errorRow.hidden = errors.length === 0;
    set(this.#error, errors.join('\n'));
  }
}

export class Table {
  readonly #table: HTMLTableElement;
  readonly #ask: (prefix: string) => void;
  readonly #rows = new Map<string, Row>();

  /** `ask`: called with the mount that is to be tried. */
  constructor(table: HTMLTableElement, ask: (prefix: string) => void) {
    this.#table = table;
    this.#ask = ask;
    const heads = columns.map(({ label, isNumber }) => {
      return make('th', { scope: 'col', className: isNumber ? 'number' : '', textContent: label });
    });
    table.createTHead().append(make('tr', {}, make('th', { scope: 'col', textContent: 'Name' }), ...heads));
  }

  get prefixes(): string[] {
    return [...this.#rows.values()].map((row) => row.prefix);
  }

  show(here: PluginStatus[], server: ServerReport): void {
    const hereByName = new Map(here.map((plugin) => [plugin.name, plugin]));
    const thereByName = new Map(server.plugins.map((plugin) => [plugin.name, plugin]));
    const names = new Set([...hereByName.keys(), ...thereByName.keys()]);
    for (const [name, row] of this.#rows) {
      if (names.has(name)) continue;
      row.body.remove();
      this.#rows.delete(name);
    }
    for (const name of names) {
      let row = this.#rows.get(name);
      if (!row) {
        row = new Row(name, this.#ask);
        this.#rows.set(name, row);
        this.#table.append(row.body);
      }
      row.show(hereByName.get(name), thereByName.get(name));
    }
    this.#table.hidden = names.size === 0;
  }
}
