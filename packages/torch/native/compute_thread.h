// A thread that runs one job after another. OpenMP keeps a team of helpers for each thread that ever asked for some: jobs in
// libuv's threads would have a team for each of these, more of them than processors, which then sleep between loops instead of
// waiting awake. One thread has one team.
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
  /// Jobs that were handed over before are done first.
  ~ComputeThread() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    more_.notify_one();
    thread_.join();
  }

  /// Runs `job` there, after those before it, and comes back when it is done; what it throws is thrown here.
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
  std::thread thread_;  // the last member: it starts when all others are there
};

}  // namespace magface
