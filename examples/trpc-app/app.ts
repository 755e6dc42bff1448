// Remote procedures on tRPC, whose input zod checks: queries are GET, mutations POST, and several calls may come as one.
import { initTRPC, TRPCError } from '@trpc/server';
import { fetchRequestHandler } from '@trpc/server/adapters/fetch';
import * as z from 'zod';

const { router, procedure } = initTRPC.create();

const tasks = new Map<number, { title: string; done: boolean }>([[1, { title: 'write a plug-in', done: true }]]);

const appRouter = router({
  list: procedure.query(() => [...tasks].map(([id, task]) => ({ id, ...task }))),
  add: procedure.input(z.object({ title: z.string().min(1) })).mutation(({ input }) => {
    const id = tasks.size + 1;
    tasks.set(id, { title: input.title, done: false });
    return { id };
  }),
  finish: procedure.input(z.object({ id: z.int() })).mutation(({ input }) => {
    const task = tasks.get(input.id);
    if (!task) throw new TRPCError({ code: 'NOT_FOUND', message: `no task ${input.id}` });
    task.done = true;
    return task;
  }),
});

/** What a client on tRPC imports. */
export type AppRouter = typeof appRouter;

export default {
  fetch: (req: Request) => fetchRequestHandler({ endpoint: '', req, router: appRouter, createContext: () => ({}) }),
};
