// An app on hono, as it would be written for any other runtime.
import { Hono } from 'hono';

interface Book {
  id: number;
  title: string;
}

const books: Book[] = [
  { id: 1, title: 'A Mathematical Theory of Communication' },
  { id: 2, title: 'Communicating Sequential Processes' },
];

const app = new Hono();

app.use(async (c, next) => {
  await next();
  c.header('x-powered-by', 'hono');
});
app.get('/', (c) => c.text('try /books'));
app.get('/books', (c) => c.json(books));
app.get('/books/:id', (c) => {
  const book = books.find(({ id }) => id === Number(c.req.param('id')));
  return book ? c.json(book) : c.json({ error: 'no such book' }, 404);
});
app.post('/books', async (c) => {
  const { title } = await c.req.json<{ title: string }>();
  const book = { id: books.length + 1, title };
  books.push(book);
  return c.json(book, 201);
});

export default app;
