// https://wicg.github.io/scheduling-apis/#sec-scheduler
// Tasks wait here, and one timer at a time brings the next of them: the one of the highest priority, and of those the oldest.

import * as idl from 'valor-idl';
import { type AbortSignal, addAbortAlgorithm, removeAbortAlgorithm } from '../dom/abort.ts';
import { runAfter } from '../html/timers.ts';
import { natives } from '../natives.ts';
import { bind } from '../webidl/bind.ts';
import { isTaskSignal, type TaskPriority, type TaskSignal } from './task-signal.ts';

/** What yield() takes over from the task in which it is called. */
interface State {
  abortSource: AbortSignal | null;
  prioritySource: TaskSignal | TaskPriority;
}

interface Task {
  order: number;
  run: () => void;
  aborted: boolean;
}

const ranks: Record<TaskPriority, number> = { background: 0, 'user-visible': 2, 'user-blocking': 4 };

/** Tasks of one priority, or of one signal's: they change it together. Continuations come before tasks. */
class Queue {
  readonly #source: TaskSignal | TaskPriority;
  readonly #continuation: boolean;
  #tasks: Task[] = [];
  #at = 0;

  constructor(source: TaskSignal | TaskPriority, continuation: boolean) {
    this.#source = source;
    this.#continuation = continuation;
  }

  get rank(): number {
    const source = this.#source;
    return ranks[typeof source === 'string' ? source : source.priority] + (this.#continuation ? 1 : 0);
  }
  /** The first that was not aborted. */
  get first(): Task | undefined {
    while (this.#tasks[this.#at]?.aborted) this.#advance();
    return this.#tasks[this.#at];
  }
  add(task: Task): void {
    this.#tasks.push(task);
  }
  take(): Task | undefined {
    const task = this.first;
    if (task) this.#advance();
    return task;
  }
  #advance(): void {
    if (++this.#at >= 64 && this.#at * 2 > this.#tasks.length) {
      this.#tasks.splice(0, this.#at);
      this.#at = 0;
    }
  }
}

// Those that hold tasks; made when the first comes, dropped with the last.
const queues = { tasks: new Map<unknown, Queue>(), continuations: new Map<unknown, Queue>() };
let lastOrder = 0;
let armed = false;

function enqueue(state: State, continuation: boolean, task: Task): void {
  const map = continuation ? queues.continuations : queues.tasks;
  const source = state.prioritySource;
  let queue = map.get(source);
  if (!queue) {
    queue = new Queue(source, continuation);
    map.set(source, queue);
  }
  task.order = ++lastOrder;
  queue.add(task);
  arm();
}

function arm(): void {
  if (armed) return;
  armed = true;
  runAfter(0, runNext);
}

function takeNext(): Task | undefined {
  let best: Queue | undefined;
  for (const map of [queues.tasks, queues.continuations]) {
    for (const [source, queue] of map) {
      const first = queue.first;
      if (!first) map.delete(source);
      else if (
        !best ||
        queue.rank > best.rank ||
        (queue.rank === best.rank && first.order < (best.first as Task).order)
      ) {
        best = queue;
      }
    }
  }
  return best?.take();
}

function runNext(): void {
  armed = false;
  const task = takeNext();
  if (!task) return;
  arm();
  task.run();
}

/** A promise for what `work` gives when its turn comes. */
function schedule(state: State, continuation: boolean, delay: number, work: () => unknown): Promise<unknown> {
  const { abortSource } = state;
  if (abortSource?.aborted) return Promise.reject(abortSource.reason);
  // The timer that brings the task may have been set on behalf of another.
  const activity = natives.activity();
  return new Promise((resolve, reject) => {
    const task: Task = {
      order: 0,
      aborted: false,
      run() {
        natives.beginActivity(activity, state);
        try {
          resolve(work());
        } catch (error) {
          reject(error);
        }
        // Only now: what a task aborts itself counts.
        if (abortSource) removeAbortAlgorithm(abortSource, abort);
      },
    };
    function abort(): void {
      task.aborted = true;
      reject(abortSource?.reason);
    }
    if (abortSource) addAbortAlgorithm(abortSource, abort);
    if (delay === 0) enqueue(state, continuation, task);
    else {
      runAfter(delay, () => {
        if (!task.aborted) enqueue(state, continuation, task);
      });
    }
  });
}

const internal = Symbol('internal');
let isScheduler: (value: unknown) => boolean;

export class Scheduler {
  #made = true;

  constructor(token: unknown) {
    if (token !== internal) throw new TypeError('Illegal constructor');
  }

  postTask(
    callback: () => unknown,
    options: { signal?: AbortSignal; priority?: TaskPriority; delay: number },
  ): Promise<unknown> {
    const { signal, priority, delay } = options;
    const state: State = {
      abortSource: signal ?? null,
      prioritySource: priority ?? (isTaskSignal(signal) ? signal : 'user-visible'),
    };
    return schedule(state, false, delay, () => Reflect.apply(callback, undefined, []));
  }

  yield(): Promise<unknown> {
    const inherited = natives.activityState() as State | undefined;
    const state = inherited ?? { abortSource: null, prioritySource: 'user-visible' };
    return schedule(state, true, 0, () => undefined);
  }

  static {
    isScheduler = (value) => typeof value === 'object' && value !== null && #made in value;
  }
}

export const SchedulerInterface = bind(idl.Scheduler, Scheduler, isScheduler);
export const scheduler = new Scheduler(internal);
