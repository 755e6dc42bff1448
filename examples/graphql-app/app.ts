// A GraphQL server: graphql-http's handler for Request and Response, over a schema of the package graphql.
import {
  GraphQLError,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
} from 'graphql';
import { createHandler } from 'graphql-http/lib/use/fetch';

interface Author {
  name: string;
  born: number;
}

interface Book {
  title: string;
  year: number;
  author: Author;
}

const shannon: Author = { name: 'Claude Shannon', born: 1916 };
const hoare: Author = { name: 'Tony Hoare', born: 1934 };
const books: Book[] = [
  { title: 'A Mathematical Theory of Communication', year: 1948, author: shannon },
  { title: 'Communicating Sequential Processes', year: 1978, author: hoare },
];

const text = { type: new GraphQLNonNull(GraphQLString) };
const year = { type: new GraphQLNonNull(GraphQLInt) };

const author = new GraphQLObjectType<Author>({
  name: 'Author',
  fields: () => ({
    name: text,
    born: year,
    books: { type: listOf(book), resolve: (source) => books.filter((written) => written.author === source) },
  }),
});

const book: GraphQLObjectType<Book> = new GraphQLObjectType({
  name: 'Book',
  fields: { title: text, year, author: { type: new GraphQLNonNull(author) } },
});

function listOf(type: GraphQLObjectType): GraphQLNonNull<GraphQLList<GraphQLNonNull<GraphQLObjectType>>> {
  return new GraphQLNonNull(new GraphQLList(new GraphQLNonNull(type)));
}

const query = new GraphQLObjectType({
  name: 'Query',
  fields: {
    books: {
      type: listOf(book),
      args: { since: { type: GraphQLInt } },
      resolve: (_, { since = 0 }) => books.filter((written) => written.year >= since),
    },
  },
});

const mutation = new GraphQLObjectType({
  name: 'Mutation',
  fields: {
    addBook: {
      type: new GraphQLNonNull(book),
      args: { title: text, year, author: text },
      resolve(_, { title, year, author: name }) {
        const known = books.find((written) => written.author.name === name)?.author;
        if (!known) throw new GraphQLError(`no author is named ${name}`);
        const added = { title, year, author: known };
        books.push(added);
        return added;
      },
    },
  },
});

export default { fetch: createHandler({ schema: new GraphQLSchema({ query, mutation }) }) };
