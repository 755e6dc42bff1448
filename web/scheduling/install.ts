// https://wicg.github.io/scheduling-apis/

import { defineLazyInterfaces, loadPart } from '../lazy.ts';
import { defineReplaceable } from '../webidl/define.ts';

type Part = typeof import('../lazy/scheduling.ts');

export function installScheduling(global: object): void {
  defineReplaceable(global, 'scheduler', () => loadPart<Part>('scheduling').scheduler);
  defineLazyInterfaces(global, 'scheduling', [
    ...['Scheduler', 'TaskController', 'TaskPriorityChangeEvent', 'TaskSignal'],
  ]);
}
