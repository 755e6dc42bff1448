// https://html.spec.whatwg.org/multipage/webappapis.html#report-an-exception

import { trusted } from '../dom/event.ts';
import { dispatch, type EventTarget, hasListeners } from '../dom/event-target.ts';
import { natives } from '../natives.ts';
import { ErrorEvent } from './error-event.ts';

// One listener of "error" that throws must not start over.
let reporting = false;

function describe(error: unknown): string {
  try {
    return `Uncaught ${String(error)}`;
  } catch {
    return 'Uncaught exception';
  }
}

interface Place {
  filename: string;
  lineno: number;
  colno: number;
}

function placeOf(error: unknown): Place {
  const stack = error instanceof Error && typeof error.stack === 'string' ? error.stack : '';
  const match = /^\s+at (?:.*\()?(.+?):(\d+):(\d+)\)?$/m.exec(stack);
  return match
    ? { filename: match[1] ?? '', lineno: Number(match[2]), colno: Number(match[3]) }
    : { filename: '', lineno: 0, colno: 0 };
}

/** Fires "error" at the global; an exception that no listener takes is logged. */
export function reportException(error: unknown): void {
  const target = globalThis as unknown as EventTarget;
  if (!reporting && hasListeners(target, 'error')) {
    reporting = true;
    try {
      const init = { message: describe(error), error, cancelable: true, ...placeOf(error) };
      if (!dispatch(target, trusted(new ErrorEvent('error', init)))) return;
    } finally {
      reporting = false;
    }
  }
  natives.reportException(error);
}
