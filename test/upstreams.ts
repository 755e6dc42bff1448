// Servers that plug-ins fetch from in tests: HTTP/1.1, TLS and HTTP/2 on free ports of the loopback.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import zlib from 'node:zlib';
import { temporaryFolder } from './harness.ts';

export interface Upstream {
  url: string;
  /** Connections that were accepted. */
  connections: number;
  /** Connections that are open. */
  open: Set<Duplex>;
  /** Requests that broke off. */
  aborted: number;
  /** Bytes of bodies: read from requests, and handed to the system for responses. */
  received: number;
  sent: number;
  close(): void;
}

export interface Certificates {
  /** File of the authority that signed the others. */
  authority: string;
  key: Buffer;
  /** For localhost, the names below it, and 127.0.0.1. */
  good: Buffer;
  /** For elsewhere.example. */
  elsewhere: Buffer;
  /** For localhost, until yesterday. */
  expired: Buffer;
  /** For localhost, signed by nobody else. */
  selfSigned: Buffer;
}

export function makeCertificates(): Certificates {
  const folder = temporaryFolder();
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = (name: string) => ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', name];
  openssl('req', '-x509', ...key('ca.key'), '-subj', '/CN=Test authority', '-days', '30', '-out', 'ca.pem');
  const sign = (name: string, san: string, days = 30): Buffer => {
    writeFileSync(join(folder, `${name}.ext`), `subjectAltName=${san}\n`);
    openssl('req', '-new', '-key', 'server.key', '-subj', `/CN=${name}`, '-out', `${name}.csr`);
    openssl(
      ...['x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
      ...['-days', `${days}`, '-extfile', `${name}.ext`, '-out', `${name}.pem`],
    );
    return readFileSync(join(folder, `${name}.pem`));
  };
  openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', 'server.key');
  openssl(
    ...['req', '-x509', '-key', 'server.key', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'],
    ...['-days', '30', '-out', 'self.pem'],
  );
  return {
    authority: join(folder, 'ca.pem'),
    key: readFileSync(join(folder, 'server.key')),
    good: sign('good', 'DNS:localhost,DNS:*.localhost,IP:127.0.0.1'),
    elsewhere: sign('elsewhere', 'DNS:elsewhere.example'),
    expired: sign('expired', 'DNS:localhost', -1),
    selfSigned: readFileSync(join(folder, 'self.pem')),
  };
}

const encoders: Record<string, (data: string) => Buffer> = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  br: zlib.brotliCompressSync,
  zstd: zlib.zstdCompressSync,
};

// HTTP/2's have what is used here too.
function answer(upstream: Upstream, request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url!, 'http://upstream');
  const [, what = '', argument = ''] = url.pathname.split('/');
  const head = (status: number, headers: Record<string, string> = {}) => response.writeHead(status, headers);
  const end = (body: string | Buffer = '') => response.end(body);
  request.on('aborted', () => upstream.aborted++);
  request.on('error', () => {});
  response.on('error', () => {});
  switch (what) {
    case 'echo': {
      const pieces: Buffer[] = [];
      request.on('data', (piece) => pieces.push(piece));
      request.on('end', () => {
        head(200, { 'content-type': 'application/json' });
        const { method, headers, url: path, httpVersion } = request;
        end(JSON.stringify({ method, headers, url: path, httpVersion, body: Buffer.concat(pieces).toString() }));
      });
      return;
    }
    case 'redirect': // /redirect/STATUS?to=URL
      request.resume();
      head(Number(argument), { location: url.searchParams.get('to')! });
      return void end('moved');
    case 'times': {
      // redirects N times to itself
      const left = Number(argument);
      if (left === 0) return void end('there');
      head(302, { location: `/times/${left - 1}` });
      return void end();
    }
    case 'status':
      head(Number(argument), { 'x-a': '1', 'set-cookie': 'a=b' });
      return void end(Number(argument) === 204 ? '' : 'body');
    case 'encoded':
      head(200, { 'content-encoding': argument });
      return void end(encoders[argument]!('decoded '.repeat(1000)));
    case 'never':
      return;
    case 'half-head':
      request.socket.write('HTTP/1.1 200 OK\r\ncontent-le');
      return void request.socket.destroy();
    case 'mid-chunk':
      request.socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nff\r\nonly this');
      return void setTimeout(() => request.socket.destroy(), 50);
    case 'short':
      head(200, { 'content-length': '1000' });
      response.write('only this');
      return void setTimeout(() => request.socket.destroy(), 50);
    case 'nonsense':
      request.socket.write('SMTP is not HTTP\r\n\r\n');
      return void request.socket.destroy();
    case 'header-flood': {
      // Headers without end, as fast as they are read.
      const { socket } = request;
      socket.write('HTTP/1.1 200 OK\r\n');
      const more = (): void => {
        const lines = `x-flood: ${'y'.repeat(1000)}\r\n`.repeat(16);
        while (!socket.destroyed && socket.write(lines));
      };
      socket.on('drain', more);
      return void more();
    }
    case 'circle': // /circle/A redirects to /circle/B and back
      head(302, { location: argument === 'A' ? '/circle/B' : '/circle/A' });
      return void end();
    case 'drip': // a piece at once, and nothing more
      head(200);
      return void response.write('first');
    case 'big': {
      // /big/MEBIBYTES
      head(200);
      let left = Number(argument) * 16;
      const piece = Buffer.alloc(64 * 1024, 'x');
      const more = (): void => {
        for (; left > 0; left--) {
          upstream.sent += piece.length;
          if (!response.write(piece)) {
            left--;
            return void response.once('drain', more);
          }
        }
        end();
      };
      more();
      return;
    }
    case 'slow-upload': // does not read for a second
      setTimeout(() => {
        request.on('data', (piece) => (upstream.received += piece.length));
        request.on('end', () => end(`${upstream.received}`));
      }, 1000);
      return;
    case 'upload':
      request.on('data', (piece) => (upstream.received += piece.length));
      request.on('end', () => end(`${upstream.received}`));
      return;
    default:
      head(404);
      return void end('nothing here');
  }
}

async function listening(server: Server, scheme: string, host: string): Promise<Upstream> {
  const open = new Set<Duplex>();
  const upstream: Upstream = { url: '', connections: 0, open, aborted: 0, received: 0, sent: 0, close: () => {} };
  server.on('connection', (socket) => {
    upstream.connections++;
    open.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => open.delete(socket));
  });
  server.on('request', (request, response) => answer(upstream, request, response));
  await new Promise<void>((done) => server.listen(0, host, done));
  const name = host === '::1' ? '[::1]' : host === '127.0.0.1' && scheme === 'https' ? 'localhost' : host;
  upstream.url = `${scheme}://${name}:${(server.address() as AddressInfo).port}`;
  upstream.close = () => {
    server.close();
    for (const socket of open) socket.destroy();
  };
  return upstream;
}

export function serveHttp(host = '127.0.0.1'): Promise<Upstream> {
  return listening(http.createServer({ keepAliveTimeout: 60_000 }), 'http', host);
}

export function serveTls(key: Buffer, cert: Buffer): Promise<Upstream> {
  return listening(https.createServer({ key, cert, keepAliveTimeout: 60_000 }), 'https', '127.0.0.1');
}

export function serveHttp2(key: Buffer, cert: Buffer): Promise<Upstream> {
  return listening(http2.createSecureServer({ key, cert }), 'https', '127.0.0.1');
}
