export { SchedulerInterface as Scheduler, scheduler } from '../scheduling/scheduler.ts';
export {
  TaskControllerInterface as TaskController,
  TaskPriorityChangeEventInterface as TaskPriorityChangeEvent,
  TaskSignalInterface as TaskSignal,
} from '../scheduling/task-signal.ts';
