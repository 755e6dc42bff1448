import { defineLazyInterfaces, loadPart } from '../lazy.ts';
import { defineReplaceable } from '../webidl/define.ts';

type Part = typeof import('../lazy/performance.ts');

export function installPerformance(global: object): void {
  defineReplaceable(global, 'performance', () => loadPart<Part>('performance').performance);
  defineLazyInterfaces(global, 'performance', [
    ...['Performance', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
    ...['PerformanceObserver', 'PerformanceObserverEntryList'],
  ]);
}
