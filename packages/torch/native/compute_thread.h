// A thread that runs jobs one after another. OpenMP keeps a team of workers for each thread that ever ran a parallel
// loop. Jobs on libuv's threads would create one team per thread and so more workers than processors, which makes
// OpenMP put workers to sleep between loops. A single thread needs a single team.
#pragma once
#include <condition_variable>
#include <future>
#include <mutex>
#include <queue>
#include <thread>

namespace magface {

class ComputeThread {
 public:
  ComputeThread() : thread_([this] { work(); }) {}
  ComputeThread(const ComputeThread&) = delete;
  /// Finishes the queued jobs first.
  ~ComputeThread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    more_.notify_one();
    thread_.join();
  }

  /// Runs `job` on the thread, after the ones queued before it. Returns when it is done and rethrows what it throws.
  template <typename Job>
  void run(Job&& job) {
    std::packaged_task<void()> task(std::forward<Job>(job));
    std::future<void> done = task.get_future();
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      jobs_.push(std::move(task));
    }
    more_.notify_one();
    done.get();
  }

 private:
  void work() {
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      more_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      std::packaged_task<void()> job = std::move(jobs_.front());
      jobs_.pop();
      lock.unlock();
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable more_;
  std::queue<std::packaged_task<void()>> jobs_;
  bool ends_ = false;
  std::thread thread_;  // last member: it must start after all others are initialized
};

}  // namespace magface
