// The tests' own HTTP server, and the scripts that come from it.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { makeCertificates } from '../upstreams.ts';

// Both are this machine without anything in /etc/hosts, and of different origins and sites. Names below localhost are too,
// to libcurl at least.
const host = 'localhost';
const otherHost = '127.0.0.1';

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, otherHost));
  await Promise.all(servers.map((server) => new Promise((done) => server.once('listening', done))));
  const ports = servers.map((server) => (server.address() as net.AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}

// Runs in the plug-in after testharness.js: what the tests said becomes the answer to a request.
// It keeps what it uses, because tests replace globals.
const report = `
;(() => {
  const { stringify } = JSON;
  const Answer = Response;
  const { from } = Array;
  // https://testutils.spec.whatwg.org/: instances.ts has V8 offer gc(). What is referred to by a WeakRef of this task lives on in it.
  const { gc, setTimeout } = self;
  if (gc) self.TestUtils = { gc: () => new Promise((resolve) => setTimeout(() => resolve(gc()), 0)) };
  const subtests = [];
  let harness = null;
  let finish;
  const finished = new Promise((resolve) => { finish = resolve; });
  const answer = () => new Answer(stringify({ harness, subtests }), { headers: { 'content-type': 'application/json' } });
  add_result_callback((test) => { subtests[subtests.length] = [test.name, test.status, test.message]; });
  add_completion_callback((tests, status) => {
    subtests.length = 0;
    for (const test of tests) subtests[subtests.length] = [test.name, test.status, test.message];
    harness = { status: status.status, message: status.message };
    finish();
  });
  addEventListener('fetch', (event) => {
    event.respondWith(event.request.url.endsWith('?now') ? answer() : finished.then(answer));
  });
})();
`;

export type Protocol = 'http' | 'https' | 'h2';

export class TestServer {
  #process: ChildProcess | null = null;
  #port = 0;
  #securePort = 0;
  #http2Port = 0;
  /** File of the authority that signed the server's certificate. */
  authority = '';
  #ports: RegExp | null = null;
  #tree: string;
  #scripts = new Map<string, Promise<void>>();

  /** Scripts are put below the folder `tree`. */
  constructor(tree: string) {
    this.#tree = tree;
  }

  async start(checkout: string, folder: string): Promise<void> {
    const names = ['http', 'http', 'http-local', 'http-public', 'https', 'https', 'https-local', 'https-public'];
    names.push('ws', 'wss', 'h2');
    const ports: Record<string, number[]> = { 'webtransport-h3': [] };
    const free = await freePorts(names.length);
    for (const [index, name] of names.entries()) {
      ports[name] = [...(ports[name] ?? []), free[index]!];
    }
    const { authority, key, good } = makeCertificates();
    this.authority = authority;
    writeFileSync(join(folder, 'host.key'), key);
    writeFileSync(join(folder, 'host.pem'), good);
    writeFileSync(
      join(folder, 'wptserve.json'),
      JSON.stringify({
        browser_host: host,
        alternate_hosts: { alt: otherHost },
        check_subdomains: false,
        bind_address: true,
        ports,
        ssl: {
          type: 'pregenerated',
          pregenerated: {
            ca_cert_path: authority,
            host_cert_path: join(folder, 'host.pem'),
            host_key_path: join(folder, 'host.key'),
          },
        },
      }),
    );
    this.#ports = new RegExp(`:(${free.join('|')})\\b`, 'g');
    this.#port = ports.http![0]!;
    this.#securePort = ports.https![0]!;
    this.#http2Port = ports.h2![0]!;
    const log = openSync(join(folder, 'wptserve.log'), 'w');
    const script = join(import.meta.dirname, 'wptserve.py');
    // Its own process group: it has children, one for each port.
    this.#process = spawn('python3', ['-B', script, checkout, join(folder, 'wptserve.json')], {
      stdio: ['ignore', log, log],
      detached: true,
    });
    process.on('exit', () => this.stop());
    for (let tries = 0; ; tries++) {
      try {
        await this.#get('/resources/testharness.js');
        return;
      } catch (error) {
        if (tries > 300 || this.#process.exitCode !== null) {
          throw new Error(`wptserve did not start; see ${join(folder, 'wptserve.log')}`, { cause: error });
        }
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }

  stop(): void {
    const pid = this.#process?.pid;
    this.#process = null;
    if (pid !== undefined) process.kill(-pid, 'SIGTERM');
  }

  /** Where a browser would have the script from. */
  address(path: string, protocol: Protocol): string {
    const port = { http: this.#port, https: this.#securePort, h2: this.#http2Port }[protocol];
    return `${protocol === 'http' ? 'http' : 'https'}://${host}:${port}/${path}`;
  }

  /** Some tests have addresses in their names, and ports differ from run to run. */
  withoutPorts(text: string): string {
    return text.replace(this.#ports!, ':PORT');
  }

  async #get(path: string): Promise<string> {
    const response = await fetch(`http://${otherHost}:${this.#port}${path}`, {
      headers: { host: `${host}:${this.#port}` },
    });
    if (!response.ok) throw new Error(`${path}: ${response.status}`);
    return response.text();
  }

  /** Puts the script and what it imports into the tree, and returns the file's path. */
  async mirror(path: string): Promise<string> {
    await this.#mirror(`/${path}`);
    return join(this.#tree, path);
  }

  #mirror(path: string): Promise<void> {
    let done = this.#scripts.get(path);
    if (!done) {
      done = this.#fetch(path);
      this.#scripts.set(path, done);
    }
    return done;
  }

  async #fetch(path: string): Promise<void> {
    let source: string;
    try {
      source = await this.#get(path);
    } catch {
      return; // the test will find it missing
    }
    if (path === '/resources/testharness.js') source += report;
    const { pathname } = new URL(path, 'http://x/');
    const file = join(this.#tree, decodeURIComponent(pathname));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
    const imports = /importScripts\(([^)]*)\)/g;
    const names = [...source.matchAll(imports)].flatMap(([, list]) => [...list!.matchAll(/(['"])(.*?)\1/g)]);
    await Promise.all(
      names.map(([, , name]) => {
        const target = new URL(name!, `http://x${path}`);
        return target.host === 'x' ? this.#mirror(target.pathname + target.search) : undefined;
      }),
    );
  }
}
