// Serves the page that lies beside this file. The built-in `files` belongs to the server; this one answers without it too,
// because a browser keeps what a plug-in reads of its own folder.
const types = { html: 'text/html', css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };
const names = [
  'index.html',
  'notes.css',
  'icon.svg',
  'main.js',
  'answers.js',
  'ask.js',
  'copy.js',
  'draft.js',
  'list.js',
  'side.js',
];

const read = async (name) => [name, await (await fetch(new URL(name, import.meta.url))).text()];
// All of them at once: whoever has one can go offline.
const files = new Map(await Promise.all(names.map(read)));

// Nothing but our own files and the plug-ins; images of notes may come from elsewhere.
const policy =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; img-src 'self' https: data:; form-action 'none'";

export default {
  fetch(request) {
    const name = new URL(request.url).pathname.slice(1) || 'index.html';
    const file = files.get(name);
    if (file === undefined) return new Response('no such file\n', { status: 404 });
    const headers = {
      'content-type': `${types[name.split('.').at(-1)]}; charset=utf-8`,
      'content-security-policy': policy,
      'cache-control': 'no-cache',
    };
    return new Response(file, { headers });
  },
};
