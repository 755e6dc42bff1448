export {
  PerformanceEntryInterface as PerformanceEntry,
  PerformanceMarkInterface as PerformanceMark,
  PerformanceMeasureInterface as PerformanceMeasure,
} from '../performance/entries.ts';
export {
  EntryListInterface as PerformanceObserverEntryList,
  PerformanceObserverInterface as PerformanceObserver,
} from '../performance/observer.ts';
export { PerformanceInterface as Performance, performance } from '../performance/performance.ts';
