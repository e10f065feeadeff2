// A CPU allocator that keeps freed blocks for the next step. Training asks for the same sizes over and over; glibc gives
// large blocks back to the kernel each time, and every page of the next one then faults anew.
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>
#include <vector>

#include "errors.h"
#include "handle.h"

namespace magface {
namespace {

constexpr size_t smallest_kept = 1 << 16;  // glibc serves smaller ones without the kernel

size_t rounded(size_t bytes) {
  size_t step = smallest_kept;
  while (step * 16 < bytes) step *= 2;  // at most 1/8 of a block is waste
  return (bytes + step - 1) / step * step;
}

class CachingAllocator final : public c10::Allocator {
 public:
  explicit CachingAllocator(c10::Allocator* below) : below_(below) {}

  // libtorch dropped the `const` in 2.x and added copy_data: whichever is virtual is overridden, so no `override` here.
  c10::DataPtr allocate(size_t bytes) { return std::as_const(*this).allocate(bytes); }
  void copy_data(void* to, const void* from, std::size_t bytes) const { std::memcpy(to, from, bytes); }
  c10::DataPtr allocate(size_t bytes) const {
    if (bytes < smallest_kept) return below_->allocate(bytes);
    void* block = take(rounded(bytes));
    return {block, block, &CachingAllocator::give_back, at::Device(at::kCPU)};
  }

  // For those who ask for bare pointers (oneDNN's scratch): any of ours, and any that lived before this allocator did.
  c10::DeleterFnPtr raw_deleter() const override { return &CachingAllocator::give_back; }

  void set_limit(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex_);
    limit_ = bytes;
    trim(limit_);
  }
  size_t cached() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return cached_;
  }

  static CachingAllocator*& instance() {
    static CachingAllocator* one = nullptr;
    return one;
  }

 private:
  void* take(size_t size) const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<void*>& blocks = free_[size];
    if (!blocks.empty()) {
      void* block = blocks.back();
      blocks.pop_back();
      cached_ -= size;
      return block;
    }
    void* block = below_->raw_allocate(size);
    sizes_[block] = size;
    return block;
  }

  static void give_back(void* block) { instance()->keep_or_free(block); }

  void keep_or_free(void* block) const {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = sizes_.find(block);
    if (found == sizes_.end()) return below_->raw_deallocate(block);
    const size_t size = found->second;
    if (cached_ + size > limit_) trim(limit_ > size ? limit_ - size : 0);
    free_[size].push_back(block);
    cached_ += size;
    if (size > limit_) trim(0);
  }

  void trim(size_t target) const {
    for (auto& [size, blocks] : free_)
      while (cached_ > target && !blocks.empty()) {
        sizes_.erase(blocks.back());
        below_->raw_deallocate(blocks.back());
        blocks.pop_back();
        cached_ -= size;
      }
  }

  c10::Allocator* below_;
  mutable std::mutex mutex_;
  mutable std::unordered_map<size_t, std::vector<void*>> free_;
  mutable std::unordered_map<void*, size_t> sizes_;
  mutable size_t cached_ = 0;
  size_t limit_ = 0;
};

/// cacheMemory(bytes): keeps up to so many bytes of freed blocks; 0 gives all back. Returns what is kept now.
Napi::Value cache_memory(const Napi::CallbackInfo& info) {
  return guarded(info.Env(), "cacheMemory", [&] {
    CachingAllocator*& one = CachingAllocator::instance();
    if (one == nullptr) {
      one = new CachingAllocator(c10::GetCPUAllocator());  // lives as long as the tensors it gave out
      c10::SetCPUAllocator(one, 1);
    }
    if (info[0].IsNumber()) one->set_limit(static_cast<size_t>(info[0].As<Napi::Number>().DoubleValue()));
    return Napi::Number::New(info.Env(), static_cast<double>(one->cached()));
  });
}

}  // namespace

Napi::Object init_allocator(Napi::Env env, Napi::Object exports) {
  exports.Set("cacheMemory", Napi::Function::New(env, cache_memory));
  return exports;
}

}  // namespace magface
