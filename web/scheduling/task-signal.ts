// https://wicg.github.io/scheduling-apis/#sec-controlling-tasks

import * as idl from 'valor-idl';
import { AbortController, AbortSignal, createDependentSignal, internal } from '../dom/abort.ts';
import { Event, type EventInit, trusted } from '../dom/event.ts';
import { dispatch } from '../dom/event-target.ts';
import { bind } from '../webidl/bind.ts';
import { DOMException } from '../webidl/dom-exception.ts';

export type TaskPriority = 'user-blocking' | 'user-visible' | 'background';

interface TaskPriorityChangeEventInit extends EventInit {
  previousPriority: TaskPriority;
}

let isPriorityChangeEvent: (value: unknown) => boolean;

export class TaskPriorityChangeEvent extends Event {
  #previousPriority: TaskPriority;

  constructor(type: string, init: TaskPriorityChangeEventInit) {
    super(type, init);
    this.#previousPriority = init.previousPriority;
  }

  get previousPriority(): TaskPriority {
    return this.#previousPriority;
  }

  static {
    isPriorityChangeEvent = (value) => typeof value === 'object' && value !== null && #previousPriority in value;
  }
}

export let isTaskSignal: (value: unknown) => value is TaskSignal;
let changePriority: (signal: TaskSignal, priority: TaskPriority) => void;
let followPriority: (signal: TaskSignal, source: TaskSignal) => void;

export class TaskSignal extends AbortSignal {
  #priority: TaskPriority = 'user-visible';
  #changing = false;
  /** Whose priority this one follows; null: nobody's. */
  #source: TaskSignal | null = null;
  #followers: Set<WeakRef<TaskSignal>> | null = null;

  constructor(token: unknown, priority: TaskPriority = 'user-visible') {
    super(token);
    this.#priority = priority;
  }

  static override any(signals: AbortSignal[], init?: { priority: TaskPriority | TaskSignal }): TaskSignal {
    const from = init?.priority ?? 'user-visible';
    const result = new TaskSignal(internal, isTaskSignal(from) ? from.#priority : from);
    if (isTaskSignal(from)) followPriority(result, from);
    createDependentSignal(signals, result);
    return result;
  }

  get priority(): TaskPriority {
    return this.#priority;
  }

  static {
    isTaskSignal = (value): value is TaskSignal => typeof value === 'object' && value !== null && #changing in value;
    followPriority = (signal, from) => {
      // Sources never follow anybody themselves.
      const source = from.#source ?? from;
      signal.#source = source;
      source.#followers ??= new Set();
      for (const reference of source.#followers) {
        if (!reference.deref()) source.#followers.delete(reference);
      }
      source.#followers.add(new WeakRef(signal));
    };
    changePriority = (signal, priority) => {
      if (signal.#changing) {
        throw new DOMException('The priority is being changed: not from its own event', 'NotAllowedError');
      }
      if (signal.#priority === priority) return;
      signal.#changing = true;
      const previousPriority = signal.#priority;
      signal.#priority = priority;
      dispatch(signal, trusted(new TaskPriorityChangeEvent('prioritychange', { previousPriority })));
      for (const reference of signal.#followers ?? []) {
        const follower = reference.deref();
        if (follower) changePriority(follower, priority);
      }
      signal.#changing = false;
    };
  }
}

let isTaskController: (value: unknown) => boolean;

export class TaskController extends AbortController {
  // Of its own, so that an object tells that it is one.
  #signal: TaskSignal;

  constructor(init: { priority: TaskPriority }) {
    const signal = new TaskSignal(internal, init.priority);
    super(internal, signal);
    this.#signal = signal;
  }

  setPriority(priority: TaskPriority): void {
    changePriority(this.#signal, priority);
  }

  static {
    isTaskController = (value) => typeof value === 'object' && value !== null && #signal in value;
  }
}

export const TaskSignalInterface = bind(idl.TaskSignal, TaskSignal, isTaskSignal);
export const TaskControllerInterface = bind(idl.TaskController, TaskController, isTaskController);
export const TaskPriorityChangeEventInterface = bind(
  idl.TaskPriorityChangeEvent,
  TaskPriorityChangeEvent,
  isPriorityChangeEvent,
);
