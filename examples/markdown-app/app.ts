// Markdown to HTML with marked. What comes out is as trustworthy as what came in: HTML in Markdown stays as it is.
import { marked } from 'marked';

const help = `# Markdown to HTML

POST Markdown here, and HTML comes back:

    curl --data-binary @README.md ADDRESS

| Query   | Answer                  |
|---------|-------------------------|
| nothing | the text alone          |
| \`page\`  | a page of its own       |
`;

const page = (html: string): string =>
  `<!doctype html>\n<meta charset="utf-8">\n<meta name="viewport" content="width=device-width">\n${html}`;

export default {
  async fetch(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    if (request.method !== 'GET' && request.method !== 'POST') {
      return new Response('POST Markdown\n', { status: 405, headers: { allow: 'GET, POST' } });
    }
    const isHelp = request.method === 'GET';
    const html = await marked.parse(isHelp ? help : await request.text());
    const body = isHelp || searchParams.has('page') ? page(html) : html;
    return new Response(body, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  },
};
