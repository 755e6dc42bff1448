#include "engine/task-queue.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace valor::engine {

bool TaskQueue::run_due() {
  if (!any_.load()) return false;
  std::vector<std::unique_ptr<v8::Task>> due;
  {
    std::lock_guard lock(mutex_);
    due.swap(tasks_);
    auto now = Clock::now();
    while (!delayed_.empty() && delayed_.front().due <= now) {
      std::pop_heap(delayed_.begin(), delayed_.end());
      due.push_back(std::move(delayed_.back().task));
      delayed_.pop_back();
    }
    any_.store(!delayed_.empty());
  }
  for (auto& task : due) task->Run();
  return !due.empty();
}

int TaskQueue::wait_ms() {
  if (!any_.load()) return -1;
  std::lock_guard lock(mutex_);
  if (!tasks_.empty()) return 0;
  if (delayed_.empty()) return -1;
  auto left = std::chrono::ceil<std::chrono::milliseconds>(delayed_.front().due - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, 3'600'000));
}

void TaskQueue::set_wake(std::function<void()> wake) {
  std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
}

void TaskQueue::close() {
  std::vector<std::unique_ptr<v8::Task>> tasks;
  std::vector<Delayed> delayed;
  std::lock_guard lock(mutex_);
  closed_ = true;
  wake_ = nullptr;
  tasks.swap(tasks_);
  delayed.swap(delayed_);
}

void TaskQueue::PostTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation&) {
  std::lock_guard lock(mutex_);
  if (closed_) return;
  tasks_.push_back(std::move(task));
  any_.store(true);
  if (tasks_.size() == 1 && wake_) wake_();
}

void TaskQueue::PostNonNestableTaskImpl(std::unique_ptr<v8::Task> task, const v8::SourceLocation& location) {
  PostTaskImpl(std::move(task), location);
}

void TaskQueue::PostDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                                    const v8::SourceLocation&) {
  auto delay = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(delay_in_seconds));
  std::lock_guard lock(mutex_);
  if (closed_) return;
  delayed_.push_back({Clock::now() + delay, std::move(task)});
  std::push_heap(delayed_.begin(), delayed_.end());
  any_.store(true);
  if (wake_) wake_();
}

void TaskQueue::PostNonNestableDelayedTaskImpl(std::unique_ptr<v8::Task> task, double delay_in_seconds,
                                               const v8::SourceLocation& location) {
  PostDelayedTaskImpl(std::move(task), delay_in_seconds, location);
}

}  // namespace valor::engine
